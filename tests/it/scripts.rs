//! The three runner scripts, run for real in a home folder of their own.
#![expect(clippy::disallowed_methods, reason = "the scripts are driven from outside, by a shell")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod guest;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use guest::{Guest, TOKEN, archive, resolved};

const SIGN_UP: &str = "printf '%s\\n' \"$@\" >arguments\nenv >environment\necho \"signed up with $*\"\n";
const WAIT_FOR_JOBS: &str = "env >environment\necho $$ >pid\necho 'Listening for Jobs'\nexec sleep 60\n";

#[test]
fn a_carried_runner_is_used_as_it_is() {
    let guest = resolved(Guest::new()).carries("# carried", "");
    let answer = guest.install();
    assert_eq!((answer.code, answer.err.as_str()), (0, ""));
    assert!(answer.out.contains(&format!("carries in {}", guest.runner().display())), "{}", answer.out);
    assert_eq!(guest.read("config.sh"), "# carried");
}

#[test]
fn the_resolved_release_is_downloaded_for_each_machine() {
    for (guest, word) in [
        (Guest::new(), "for Intel"),
        (Guest::new().apple_silicon(), "for Apple silicon"),
        (Guest::new().rosetta(), "for Apple silicon"),
    ] {
        let guest = resolved(guest);
        let answer = guest.install();
        assert_eq!((answer.code, answer.err.as_str()), (0, ""));
        assert_eq!(guest.read("bin/Runner.Listener"), word);
        assert_eq!(guest.litter(), Vec::<String>::new());
        assert!(guest.install().out.contains("carries"), "a second run changes nothing");
    }
}

#[test]
fn a_copied_archive_comes_before_a_download_and_is_verified() {
    let guest = resolved(Guest::new());
    let copied = guest.home.join("actions-runner.tar.gz");
    let sha256 = archive(&copied, "copied");
    let answer = guest.install();
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains(&format!("SHA-256 is {sha256}, expected")), "{}", answer.err);
    assert!(!guest.runner().exists());

    let guest = guest.with("ANKLET_RUNNER_SHA256_X64", sha256);
    assert_eq!(guest.install().code, 0);
    assert_eq!(guest.read("bin/Runner.Listener"), "copied");

    let told_nothing = Guest::new().with("ANKLET_RUNNER_ARCHIVE", "given.tgz");
    archive(&told_nothing.home.join("given.tgz"), "verified on the host");
    let answer = told_nothing.install();
    assert_eq!((answer.code, answer.err.as_str()), (0, ""));
    assert!(answer.out.contains("no SHA-256 was given"), "{}", answer.out);
    assert_eq!(told_nothing.read("bin/Runner.Listener"), "verified on the host");
}

#[test]
fn what_is_not_the_release_is_never_unpacked() {
    let guest = resolved(Guest::new()).with("ANKLET_RUNNER_SHA256_X64", "0".repeat(64));
    let answer = guest.install();
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("is not what was released"), "{}", answer.err);
    assert!(!guest.runner().exists());
    assert_eq!(guest.litter(), Vec::<String>::new());
}

#[test]
fn each_lack_has_its_reason() {
    let nothing = Guest::new().install();
    assert_eq!(nothing.code, 75);
    assert!(nothing.err.contains("no release named"), "{}", nothing.err);

    let unchecked = resolved(Guest::new()).with("ANKLET_RUNNER_SHA256_X64", "").install();
    assert_eq!(unchecked.code, 1);
    assert!(unchecked.err.contains("no SHA-256 was resolved"), "{}", unchecked.err);

    let gone = resolved(Guest::new()).with("ANKLET_RUNNER_VERSION", "2.999.2").install();
    assert_eq!(gone.code, 1);
    assert!(gone.err.contains("failed to download file://"), "{}", gone.err);

    let path = resolved(Guest::new()).with("ANKLET_RUNNER_VERSION", "../../2.1").install();
    assert!(path.err.contains("is not a version of the runner"), "{}", path.err);
}

#[test]
fn a_torn_installation_is_mended_and_the_users_files_stay() {
    let guest = resolved(Guest::new()).carries("# torn", "");
    fs::remove_file(guest.runner().join("run.sh")).unwrap();
    fs::write(guest.runner().join(".env"), "LANG=C\n").unwrap();
    fs::create_dir_all(guest.runner().join("bin/old")).unwrap();
    assert_eq!(guest.install().code, 0);
    assert_eq!(guest.read("config.sh"), "# for Intel\n");
    assert_eq!(guest.read(".env"), "LANG=C\n");
    assert!(!guest.runner().join("bin/old").exists());
}

#[test]
fn another_home_of_the_runner_is_named() {
    let elsewhere = Guest::new();
    let guest = resolved(Guest::new()).with("ANKLET_RUNNER_HOME", elsewhere.home.join("tools/runner"));
    let answer = guest.install();
    assert_eq!(answer.code, 0, "{}", answer.err);
    assert!(answer.out.contains("ANKLET_RUNNER_HOME names"), "{}", answer.out);
    assert!(elsewhere.home.join("tools/runner/config.sh").exists());
}

#[test]
fn registration_passes_every_value_as_data() {
    let guest = Guest::new().carries(SIGN_UP, "").with("ANKLET_RUNNER_TOKEN", TOKEN).with("ANKLET_X", "1");
    let answer = guest.register(&["our macs"]);
    assert_eq!((answer.code, answer.err.as_str()), (0, ""));
    assert!(!answer.out.contains(TOKEN), "{}", answer.out);
    let arguments = guest.read("arguments");
    for flag in ["--ephemeral", "--unattended", "--disableupdate", "--no-default-labels"] {
        assert!(arguments.lines().any(|line| line == flag), "{flag} in {arguments}");
    }
    for pair in [
        "--name\nanklet-vm-1\n",
        "--token\nAABBCCDDEEFFTOKEN\n",
        "--url\nhttps://github.com/acme/app\n",
        "--labels\nanka-template:my mac,a$(touch owned)\n",
        "--runnergroup\nour macs\n",
    ] {
        assert!(arguments.contains(pair), "{pair} in {arguments}");
    }
    assert!(!guest.read("environment").contains("ANKLET_"), "{}", guest.read("environment"));
    assert_eq!(guest.litter(), Vec::<String>::new());
}

#[test]
fn an_empty_group_is_no_group() {
    for group in [&[][..], &[""][..]] {
        let guest = Guest::new().carries(SIGN_UP, "");
        assert_eq!(guest.register(group).code, 0);
        assert!(!guest.read("arguments").contains("--runnergroup"));
    }
}

#[test]
fn a_refused_registration_says_why_and_never_the_token() {
    let guest =
        Guest::new().carries(&format!("{SIGN_UP}echo 'Http response code: NotFound' >&2\nexit 3\n"), "");
    let answer = guest.register(&[]);
    assert_eq!((answer.code, answer.out.as_str()), (1, ""));
    assert!(answer.err.contains("Http response code: NotFound"), "{}", answer.err);
    assert!(answer.err.contains("(exit code 3)"), "{}", answer.err);
    assert!(!answer.err.contains(TOKEN), "{}", answer.err);

    let usage = guest.run("register-runner.bash", &["anklet-vm-1", TOKEN, ""]);
    assert_eq!(usage.code, 2);
    assert!(!usage.err.contains(TOKEN), "{}", usage.err);
    let empty = guest.run("register-runner.bash", &["anklet-vm-1", "", "https://github.com/acme", "a"]);
    assert_eq!((empty.code, empty.err.as_str()), (2, "register-runner: the token is empty\n"));
    let missing = Guest::new().register(&[]);
    assert!(missing.err.contains("no runner in"), "{}", missing.err);
}

#[test]
fn a_registration_in_the_template_is_forgotten() {
    let guest = Guest::new().carries("test ! -e .runner && test ! -e .credentials\n", "");
    for file in [".runner", ".credentials", ".credentials_rsaparams"] {
        fs::write(guest.runner().join(file), "{}").unwrap();
    }
    assert_eq!(guest.register(&[]).code, 0);
    assert!(!guest.runner().join(".credentials_rsaparams").exists());
}

/// A busy machine may take its time.
fn until_it_listens(guest: &Guest) {
    let begun = Instant::now();
    while guest.read("anklet-runner.log") != "Listening for Jobs\n" {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", guest.read("anklet-runner.log"));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The process group and, where the system shows it, the session of a process.
fn group_and_session(pid: &str) -> (String, Option<String>) {
    let shown = Command::new("ps").args(["-o", "pgid=", "-p", pid]).output().unwrap();
    let group = String::from_utf8(shown.stdout).unwrap().trim().to_owned();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok();
    let session = stat.and_then(|stat| stat.rsplit(')').next()?.split_whitespace().nth(3).map(str::to_owned));
    (group, session)
}

#[test]
fn the_runner_outlives_the_script_in_a_session_of_its_own() {
    let common = ["bash", "cat", "rm", "tail", "grep", "sleep", "env", "nohup"];
    for (way, session) in [(Some("setsid"), true), (Some("perl"), true), (None, false)] {
        let tools: Vec<&str> = common.iter().copied().chain(way).collect();
        if way == Some("setsid") && !Path::new("/usr/bin/setsid").exists() {
            continue; // a Mac has none
        }
        let guest = Guest::new().only(&tools).carries("", WAIT_FOR_JOBS).with("ANKLET_RUNNER_TOKEN", TOKEN);
        let begun = Instant::now();
        let answer = guest.start();
        assert_eq!((answer.code, answer.err.as_str()), (0, ""), "by {way:?}");
        assert!(begun.elapsed() < Duration::from_secs(20), "by {way:?}");
        until_it_listens(&guest);
        let pid = guest.read("pid").trim().to_owned();
        let (group, in_session) = group_and_session(&pid);
        assert_eq!(group, pid, "by {way:?}");
        if session && in_session.is_some() {
            assert_eq!(in_session, Some(pid), "by {way:?}");
        }
        assert!(!guest.read("environment").contains("ANKLET_"), "{}", guest.read("environment"));
    }
}

#[test]
fn a_runner_that_ends_at_once_is_a_failure() {
    for (run, code) in [("echo 'Not configured'\nexit 7\n", 7), ("echo 'Not configured'\n", 0)] {
        let guest = Guest::new().carries("", run);
        let answer = guest.start();
        assert_eq!(answer.code, 1);
        assert!(answer.err.contains("Not configured"), "{}", answer.err);
        assert!(answer.err.contains(&format!("(exit code {code})")), "{}", answer.err);
    }
    let quick = Guest::new().carries("", "echo 'Job test completed with result: Succeeded'\n");
    assert_eq!(quick.start().code, 0, "a job that took no time is a job");
    assert!(Guest::new().start().err.contains("no runner in"));
}

#[test]
fn a_just_in_time_configuration_is_handed_on_and_deleted() {
    let guest = Guest::new().carries("", WAIT_FOR_JOBS).with("ANKLET_JIT_CONFIG_FILE", "jit");
    fs::write(guest.home.join("jit"), "ZXhhbXBsZQ==\n").unwrap();
    assert_eq!(guest.start().code, 0);
    until_it_listens(&guest);
    assert!(guest.read("environment").contains("ACTIONS_RUNNER_INPUT_JITCONFIG=ZXhhbXBsZQ==\n"));
    assert!(!guest.read("environment").contains("ANKLET_"));
    assert_eq!(guest.litter(), Vec::<String>::new());

    let again = guest.start();
    assert_eq!(again.code, 1);
    assert!(again.err.contains("no just-in-time configuration in jit"), "{}", again.err);
}
