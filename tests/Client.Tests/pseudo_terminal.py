"""Runs a program on a pseudo-terminal of its own and plays a person: waits for each text, in order, then types (or, for
SIGTERM, kills politely).

Reads one JSON document {argv, env, cwd, columns, umask, output, gagged, steps: [[expect, send], ...]} from standard input
and writes one {exit, text, echo, missed}, where `echo` is whether the terminal echoes at the end. `output` is a file that
takes the program's standard output away from the terminal. With `gagged`, standard error is a full pipe, so that the
program hangs in saying its first word; it is killed once the echo is off, or has stayed on for too long.
"""
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time

DEADLINE = time.monotonic() + 30
job = json.load(sys.stdin)
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, job["columns"], 0, 0))
os.set_blocking(master, False)


def become_terminal_owner():
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.umask(job["umask"])
    # Tests that run in the background of a script inherit that Ctrl-C is ignored.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


output = open(job["output"], "wb") if job["output"] else slave
talk = slave
if job["gagged"]:
    DEADLINE = time.monotonic() + 10
    unread, talk = os.pipe()
    os.set_blocking(talk, False)
    try:
        while True:
            os.write(talk, b".")
    except BlockingIOError:
        os.set_blocking(talk, True)
child = subprocess.Popen(
    job["argv"], env=job["env"], cwd=job["cwd"], stdin=slave, stdout=output, stderr=talk,
    preexec_fn=become_terminal_owner)
seen = b""


def drain():
    """Takes what is there now; with the slave kept open here, there is never an end of file."""
    global seen
    while True:
        try:
            seen += os.read(master, 65536)
        except BlockingIOError:
            return


def text():
    return seen.replace(b"\r\n", b"\n").decode("utf-8", "replace")


def echoes():
    flags = termios.tcgetattr(slave)[3]
    return bool(flags & termios.ECHO and flags & termios.ICANON)


while job["gagged"] and child.poll() is None:
    if not echoes() or time.monotonic() > DEADLINE:
        child.kill()
    select.select([], [], [], 0.02)

position = 0
missed = None
for expect, send in job["steps"]:
    while (found := text().find(expect, position)) < 0:
        gone = child.poll() is not None
        drain()
        if (gone and text().find(expect, position) < 0) or time.monotonic() > DEADLINE:
            missed = expect
            break
        select.select([master], [], [], 0.1)
    if missed is not None:
        child.kill()
        break
    position = found + len(expect)
    if send == "SIGTERM":
        child.terminate()
    else:
        os.write(master, send.encode())

while child.poll() is None and time.monotonic() < DEADLINE:
    select.select([master], [], [], 0.1)
    drain()
if child.poll() is None:
    missed = missed or "the end"
    child.kill()
child.wait()
drain()
json.dump({
    "exit": child.returncode,
    "text": text(),
    "echo": echoes(),
    "missed": missed,
}, sys.stdout)
