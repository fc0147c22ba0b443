//! HTTP with GitHub: the only user of ureq. Time and size limits on everything; redirects followed by hand.

use std::time::Duration;

use crossbeam_channel::bounded;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Proxy, RequestBuilder, Timeout, http};

use super::address::Address;
use super::answer::{Answer, READ};
use super::asker::Asker;
use super::options::{Options, OptionsFault};
use crate::domain::secret::Secret;
use crate::runtime::thread;

/// The longest answer that is read: a page of 100 runners has some 100 KB.
const LONGEST_BODY: u64 = 4 << 20;
const MOST_REDIRECTS: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Delete,
}

/// What goes out.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) method: Method,
    /// Below the address of the API.
    pub(super) path: String,
    pub(super) authorization: Secret,
    pub(super) etag: Option<String>,
    /// JSON to send along.
    pub(super) body: Option<String>,
}

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FetchFault {
    /// To be tried again.
    Network(String),
    /// Elsewhere, or round in circles.
    Redirected(String),
    /// More than three times in a row; without the query.
    RedirectedTooOften(String),
    /// The asker's stop won; the exchange may still happen.
    Stopped,
}

/// An address and the connections to it.
#[derive(Clone, Debug)]
pub(super) struct Fetcher {
    agent: Agent,
    address: Address,
}

impl Fetcher {
    pub(super) fn new(options: &Options) -> Result<Fetcher, OptionsFault> {
        let fault = || OptionsFault::ApiUrl(options.api_url.clone());
        let address = Address::parse(&options.api_url).ok_or_else(fault)?;
        address.url("/").parse::<http::Uri>().map_err(|_| fault())?;
        let proxy = options.proxies.before(&address).map(proxy).transpose()?;
        Ok(Fetcher { agent: agent(options, proxy, roots(options)?), address })
    }

    /// One exchange, on a thread of its own, since nothing else can end a wait for a name or an answer.
    pub(super) fn fetch(&self, asker: &Asker<'_>, outgoing: Outgoing) -> Result<Answer, FetchFault> {
        let (tell, told) = bounded(1);
        let fetcher = self.clone();
        let work = move || tell.send(fetcher.exchange(&outgoing));
        if let Err(fault) = thread::start("github:call", work) {
            return Err(FetchFault::Network(format!("no thread for the call: {fault}")));
        }
        asker.receive(&told).unwrap_or(Err(FetchFault::Stopped))
    }

    fn exchange(&self, outgoing: &Outgoing) -> Result<Answer, FetchFault> {
        let mut url = self.address.url(&outgoing.path);
        let mut method = outgoing.method;
        for _ in 0..=MOST_REDIRECTS {
            let answer = self.one(method, &url, outgoing)?;
            if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            let location = answer.header("location").unwrap_or_default();
            url = self.address.follow(location).ok_or_else(|| FetchFault::Redirected(place(location)))?;
            method = if answer.status == 303 { Method::Get } else { method };
        }
        Err(FetchFault::RedirectedTooOften(place(&url)))
    }

    fn one(&self, method: Method, url: &str, outgoing: &Outgoing) -> Result<Answer, FetchFault> {
        let sent = match method {
            Method::Get => dressed(self.agent.get(url), outgoing).call(),
            Method::Delete => dressed(self.agent.delete(url), outgoing).call(),
            Method::Post => match &outgoing.body {
                Some(json) => {
                    dressed(self.agent.post(url), outgoing).content_type("application/json").send(json)
                }
                None => dressed(self.agent.post(url), outgoing).send_empty(),
            },
        };
        sent.and_then(read).map_err(|error| FetchFault::Network(reason(&error)))
    }
}

fn agent(options: &Options, proxy: Option<Proxy>, roots: RootCerts) -> Agent {
    let tls = TlsConfig::builder().root_certs(roots).build();
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_connect(Some(options.limits.connect))
        .timeout_global(Some(options.limits.call))
        .max_idle_connections(2)
        .max_idle_connections_per_host(2)
        .max_idle_age(Duration::from_secs(15))
        .user_agent(concat!("anklet/", env!("CARGO_PKG_VERSION")))
        .accept("application/vnd.github+json")
        .tls_config(tls)
        .proxy(proxy)
        .build()
        .new_agent()
}

/// ureq takes certificates only in place of its own: the built-in ones go along.
fn roots(options: &Options) -> Result<RootCerts, OptionsFault> {
    let Some(bundle) = &options.authorities else { return Ok(RootCerts::WebPki) };
    let mut all: Vec<Certificate<'static>> =
        webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|der| Certificate::from_der(der)).collect();
    let built_in = all.len();
    for item in parse_pem(bundle) {
        if let PemItem::Certificate(certificate) = item.map_err(|_| OptionsFault::Authorities)? {
            all.push(certificate);
        }
    }
    if all.len() == built_in { Err(OptionsFault::Authorities) } else { Ok(all.into()) }
}

fn proxy(url: &Secret) -> Result<Proxy, OptionsFault> {
    let proxy = Proxy::new(url.expose()).map_err(|_| OptionsFault::Proxy)?;
    let known = matches!(proxy.protocol(), ureq::ProxyProtocol::Http | ureq::ProxyProtocol::Https);
    if known { Ok(proxy) } else { Err(OptionsFault::Proxy) }
}

fn dressed<B>(builder: RequestBuilder<B>, outgoing: &Outgoing) -> RequestBuilder<B> {
    let builder = builder
        .header("authorization", outgoing.authorization.expose())
        .header("x-github-api-version", "2022-11-28");
    match &outgoing.etag {
        Some(etag) => builder.header("if-none-match", etag),
        None => builder,
    }
}

fn read(mut response: http::Response<Body>) -> Result<Answer, ureq::Error> {
    let status = response.status().as_u16();
    let text = |name: &'static str| Some((name, response.headers().get(name)?.to_str().ok()?.to_owned()));
    let headers = READ.into_iter().filter_map(text).collect();
    let body = if response.status().is_redirection() {
        Vec::new()
    } else {
        response.body_mut().with_config().limit(LONGEST_BODY).read_to_vec()?
    };
    Ok(Answer { status, headers, body, repeated: false })
}

/// A redirect's aim, without what may be secret in it.
pub(super) fn place(location: &str) -> String {
    let end = location.find(['?', '#']).unwrap_or(location.len());
    let (scheme, rest) = location[..end].split_once("://").unwrap_or(("", &location[..end]));
    let host = rest.split_once('@').map_or(rest, |(_, host)| host);
    let text: String = host.chars().filter(|c| !c.is_control()).take(200).collect();
    match (scheme, text.as_str()) {
        (_, "") => "nowhere (no Location)".into(),
        ("", _) => text,
        _ => format!("{scheme}://{text}"),
    }
}

fn reason(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(Timeout::Resolve) => "no address for its name in time".into(),
        ureq::Error::Timeout(Timeout::Connect) => "no connection in time".into(),
        ureq::Error::Timeout(_) => "no whole answer in time".into(),
        ureq::Error::HostNotFound => "its name has no address".into(),
        ureq::Error::BodyExceedsLimit(_) => format!("an answer of more than {LONGEST_BODY} bytes"),
        ureq::Error::Io(fault) => match fault.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(tls) => untrusted(tls),
            None => format!("the connection failed: {fault}"),
        },
        ureq::Error::Rustls(fault) => untrusted(fault),
        ureq::Error::ConnectProxyFailed(fault) => format!("the proxy refused: {fault}"),
        ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) => {
            "an answer that is not HTTP".into()
        }
        _ => "the request could not be made".into(),
    }
}

/// An authority of one's own is the one thing that an operator can mend here.
fn untrusted(fault: &rustls::Error) -> String {
    use rustls::{CertificateError, Error};
    let remedy = match fault {
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            "; where a company signs its own certificates, name its authority in ca_file"
        }
        _ => "",
    };
    format!("no trusted TLS connection: {fault}{remedy}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_place_is_told_without_its_secrets() {
        assert_eq!(place("https://user:pw@evil.com/x?token=1"), "https://evil.com/x");
        assert_eq!(place("/x#y"), "/x");
        assert_eq!(place(""), "nowhere (no Location)");
    }
}
