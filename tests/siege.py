#!/usr/bin/env python3
"""Besieges a receiver and reports how a well-behaved client fares meanwhile.

usage: siege.py HOST:PORT/PATH --secret SECRET [--seconds 5] [--only drip,line] [--pid PID]

Each attack runs in a process of its own for so many seconds. Every 50 ms a signed delivery (a `ping`, which a
receiver notes and ignores) goes out on a connection of its own; it counts as good when it is answered by 2xx.
With --pid the resident memory of the besieged process is watched, too.
Exit code: 0, or 1 when a good delivery was lost or took more than a second.
"""

import argparse
import hashlib
import hmac
import json
import multiprocessing
import os
import resource
import socket
import subprocess
import sys
import threading
import time
import uuid

CROWD = 2000      # clients that drip
GANG = 20         # clients that send as fast as they can
LIMIT = 1.0       # seconds that a good delivery may take
PAUSE = 0.05      # seconds between good deliveries

target = None     # (host, port), path


def dial(timeout=5.0):
    return socket.create_connection(target[0], timeout=timeout)


# Attacks of a crowd: a list of sockets, a byte each every second.

def crowd(opening, redial, byte=b"a", count=CROWD):
    def attack():
        guests = [None] * count
        fresh = [True] * count
        while True:
            start = time.monotonic()
            for index in range(count):
                if guests[index] is None and fresh[index]:
                    guests[index] = dial_without_waiting()
                    fresh[index] = redial
                elif guests[index] is not None:
                    guests[index] = drip(guests[index], opening, byte)
            time.sleep(max(0.0, 1.0 - (time.monotonic() - start)))
    return attack


def dial_without_waiting():
    guest = socket.socket(socket.AF_INET6 if ":" in target[0][0] else socket.AF_INET)
    guest.setblocking(False)
    guest.connect_ex(target[0])
    return [guest, False]


def drip(guest, opening, byte):
    stream, opened = guest
    try:
        if not byte:
            return guest
        stream.send(byte if opened else opening)
        return [stream, True]
    except BlockingIOError:
        return guest
    except OSError:
        stream.close()
        return None


# Attacks of a gang: each thread sends as fast as the other side takes it, and dials again when it is cut off.

def gang(opening, again, count=GANG, reads=False):
    def one():
        while True:
            try:
                with dial() as stream:
                    stream.sendall(opening())
                    while True:
                        stream.sendall(again())
                        if reads:
                            read_what_is_there(stream)
            except OSError:
                time.sleep(0.001)

    def attack():
        threads = [threading.Thread(target=one, daemon=True) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return attack


def read_what_is_there(stream):
    stream.setblocking(False)
    try:
        while stream.recv(1 << 16):
            pass
    except BlockingIOError:
        pass
    finally:
        stream.settimeout(5.0)


def bodies():
    """Whole bodies of the greatest length, unsigned, one after another."""
    body = b"a" * 26_214_400
    def one():
        while True:
            try:
                with dial() as stream:
                    stream.sendall(head(f"Content-Length: {len(body)}\r\n") + body)
                    stream.recv(1024)
            except OSError:
                time.sleep(0.001)
    threads = [threading.Thread(target=one, daemon=True) for _ in range(GANG)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def noise():
    """Random bytes, some of them on the way to being a request."""
    def one():
        while True:
            try:
                with dial() as stream:
                    start = os.urandom(1)[0] % 3
                    stream.sendall([b"", b"POST ", head("")[:-2]][start] + os.urandom(200))
                    stream.shutdown(socket.SHUT_WR)
                    stream.recv(1024)
            except OSError:
                time.sleep(0.001)
    threads = [threading.Thread(target=one, daemon=True) for _ in range(GANG)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def head(headers):
    return f"POST {target[1]} HTTP/1.1\r\nHost: siege\r\n{headers}\r\n".encode()


def attacks():
    half = b"POST "
    full = head("Content-Length: 10000\r\n")
    line = b"a" * 65536
    return {
        "drip": crowd(half, redial=False),
        "redrip": crowd(half, redial=True),
        "drip-body": crowd(full, redial=False),
        "redrip-body": crowd(full, redial=True),
        "headers": gang(lambda: head("")[:-2], lambda: b"A: b\r\n" * 10000),
        "line": gang(lambda: b"GET /", lambda: line),
        "chunks": gang(lambda: head("Transfer-Encoding: chunked\r\n"), lambda: b"10000\r\n" + line + b"\r\n"),
        "bodies": bodies,
        "pipelining": gang(lambda: b"", lambda: b"GET /healthcheck HTTP/1.1\r\nHost: s\r\n\r\n" * 100, reads=True),
        "noise": noise,
        "silence": crowd(b"", redial=True, byte=b"", count=300),
    }


def deliver(secret):
    """One good delivery; seconds until its answer, or None."""
    body = json.dumps({"zen": "Keep it logically awesome.", "padding": "x" * 11000}).encode()
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    request = head(
        "Connection: close\r\nContent-Type: application/json\r\nX-GitHub-Event: ping\r\n"
        f"X-GitHub-Delivery: {uuid.uuid4()}\r\nX-Hub-Signature-256: sha256={digest}\r\n"
        f"Content-Length: {len(body)}\r\n"
    ) + body
    start = time.monotonic()
    try:
        with dial(timeout=10.0) as stream:
            stream.sendall(request)
            answer = stream.recv(1024)
    except OSError:
        return None
    return time.monotonic() - start if answer[9:10] == b"2" else None


def resident(pid):
    """Megabytes, or 0 when nobody asked."""
    if not pid:
        return 0
    told = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return int(told.stdout.strip() or 0) // 1024


def besiege(name, attack, options):
    """Runs one attack; prints one line; true when all good deliveries were answered in time."""
    attacker = multiprocessing.Process(target=attack, daemon=True)
    attacker.start()
    end = time.monotonic() + options.seconds
    took, memory = [], 0
    while time.monotonic() < end:
        took.append(deliver(options.secret))
        if len(took) % 10 == 0:
            memory = max(memory, resident(options.pid))
        time.sleep(PAUSE)
    attacker.kill()
    attacker.join()
    good = sorted(seconds for seconds in took if seconds is not None)
    at = lambda share: 1000 * good[min(len(good) - 1, int(share * len(good)))] if good else float("nan")
    fine = len(good) == len(took) and (not good or good[-1] <= LIMIT)
    size = f" {memory:6d} MB" if options.pid else ""
    print(f"{name:12} {len(good):4d}/{len(took):<4d} {at(.5):8.1f} {at(.99):8.1f} {at(1):8.1f}{size}"
          f"  {'' if fine else 'FAILED'}", flush=True)
    return fine


def main():
    global target
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", metavar="HOST:PORT/PATH")
    parser.add_argument("--secret", required=True)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--only", help="some of: " + ", ".join(NAMES))
    parser.add_argument("--pid", type=int)
    options = parser.parse_args()
    address, _, path = options.target.removeprefix("http://").partition("/")
    host, _, port = address.rpartition(":")
    target = ((host.strip("[]"), int(port)), "/" + path)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    wanted = options.only.split(",") if options.only else NAMES
    unknown = set(wanted) - set(NAMES)
    if unknown:
        parser.error("no such attack: " + ", ".join(sorted(unknown)))
    print(f"{'attack':12} {'good':>9} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8}", flush=True)
    fine = besiege("none", lambda: time.sleep(3600), options)
    for name in wanted:
        fine = besiege(name, attacks()[name], options) and fine
        time.sleep(0.5)
    sys.exit(0 if fine else 1)


NAMES = ["drip", "redrip", "drip-body", "redrip-body", "headers", "line", "chunks", "bodies", "pipelining", "noise",
         "silence"]

if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    main()
