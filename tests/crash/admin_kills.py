#!/usr/bin/env python3
"""kill -9 in the middle of what an administrator does: it is done or not done afterwards, never half, and can be repeated.

Drives are added, drained, replaced and removed, exports, accounts, access keys and tokens are made and ended, the key
of file handles is renewed, buckets get versions. What was answered with success is done; everything else is as it was.
"""

from __future__ import annotations

import argparse
import http.client
import random
import shutil
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent / "support"), str(_HERE.parent / "drives")]

from population import BUCKET, Population
from server import AdminRefused, Server, ServerFailed, free_ports

DRIVES = 5
MOST_DRIVES = 7
MOST_OF_A_KIND = 6
PATIENCE = 60
DRAIN_SECONDS = 6  # it may have to wait for a drive that has room for it
VERSIONING = ('<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>{}</Status>'
              "</VersioningConfiguration>")
State = dict[str, Any]


@dataclass
class Change:
    """One thing that an administrator does: how, what of the state it is about, and what that is afterwards."""

    kind: str
    section: str
    run: Callable[[], Any]
    done: Callable[[Any, Any], bool]


@dataclass
class Outcome:
    """What the caller heard."""

    answer: Any = None
    acked: bool = False
    refused: str = ""
    seconds: float = 0.0


class AdminKills:
    """One server, killed again and again."""

    def __init__(self, server: Server, seed: int) -> None:
        self.server = server
        self.random = random.Random(seed)
        self.population = Population(seed)
        self.problems: list[str] = []
        self.kinds: Counter[str] = Counter()
        self.rounds = self.before = self.after = self.acked = 0
        self.slowest_start = 0.0
        self.handle_key = 0
        self._usual: dict[str, float] = {}
        self._serial = 0

    # What there is.

    def state(self) -> State:
        """Everything that changes are about, by section."""
        get = lambda what: self.server.admin("GET", f"/v1/{what}")[what]  # noqa: E731
        client = self.server.client()
        versions = client.call("GET", BUCKET, query={"versioning": ""}).body.decode()
        client.close()
        return {
            "accounts": {a["name"]: (a["id"], tuple(sorted(self._keys(a)))) for a in get("accounts")},
            "exports": {e["path"]: e for e in get("exports")},
            "tokens": {t["name"]: t["id"] for t in get("tokens")},
            "drives": {d["uuid"]: (d["slot"], d["state"] in ("draining", "drained", "replaced")) for d in get("drives")},
            "versioning": "Enabled" if "Enabled" in versions else "Suspended" if "Suspended" in versions else "",
            "handle-key": None,
        }

    @staticmethod
    def _keys(account: dict[str, Any]) -> list[str]:
        return [k if isinstance(k, str) else k["access_key"] for k in account.get("access_keys", [])]

    def _name(self, what: str) -> str:
        self._serial += 1
        return f"{what}-{self._serial}"

    # What is done.

    def choose(self, state: State) -> Change:
        """One of the changes that the state allows."""
        makers = [self._token, self._export, self._account, self._key, self._versioning, self._handle_key,
                  self._drive, self._drive, self._drive]
        while True:
            change = self.random.choice(makers)(state)
            if change is not None:
                return change

    def _post(self, path: str, body: object) -> Callable[[], Any]:
        return lambda: self.server.admin("POST", path, body)

    def _delete(self, path: str) -> Callable[[], Any]:
        return lambda: self.server.admin("DELETE", path)

    def _grow(self, have: dict[str, Any]) -> bool:
        return len(have) < MOST_OF_A_KIND and (not have or self.random.random() < 0.55)

    @staticmethod
    def _without(name: str) -> Callable[[Any, Any], bool]:
        return lambda was, now: now == {k: v for k, v in was.items() if k != name}

    @staticmethod
    def _with(name: str) -> Callable[[Any, Any], bool]:
        return lambda was, now: name in now and {k: v for k, v in now.items() if k != name} == was

    def _token(self, state: State) -> Change | None:
        have = state["tokens"]
        if self._grow(have):
            name = self._name("token")
            body = {"name": name, "scopes": ["exports"], "expires_in": 86_400}
            return Change("token create", "tokens", self._post("/v1/tokens", body), self._with(name))
        name = self.random.choice(sorted(have))
        return Change("token revoke", "tokens", self._delete(f"/v1/tokens/{have[name]}"), self._without(name))

    def _export(self, state: State) -> Change | None:
        have = state["exports"]
        if self._grow(have):
            path = "/" + self._name("export")
            return Change("export add", "exports", self._post("/v1/exports", {"path": path, "bucket": BUCKET,
                                                                             "clients": ["127.0.0.1/32"]}),
                          self._with(path))
        path = self.random.choice(sorted(have))
        return Change("export remove", "exports", self._delete(f"/v1/exports{path}"), self._without(path))

    def _account(self, state: State) -> Change | None:
        have = state["accounts"]
        if self._grow(have):
            name = self._name("account")
            return Change("account create", "accounts", self._post("/v1/accounts", {"name": name}), self._with(name))
        name = self.random.choice(sorted(have))
        return Change("account remove", "accounts", self._delete(f"/v1/accounts/{have[name][0]}"), self._without(name))

    def _key(self, state: State) -> Change | None:
        have = state["accounts"]
        if not have:
            return None
        name = self.random.choice(sorted(have))
        ident, keys = have[name]

        def one_more(was: Any, now: Any) -> bool:
            rest = {k: v for k, v in was.items() if k != name} == {k: v for k, v in now.items() if k != name}
            return rest and set(keys) < set(now[name][1]) and len(now[name][1]) == len(keys) + 1

        if len(keys) < 2:
            return Change("key create", "accounts", self._post(f"/v1/accounts/{ident}/keys", None), one_more)
        gone = self.random.choice(keys)
        left = (ident, tuple(k for k in keys if k != gone))
        return Change("key remove", "accounts", self._delete(f"/v1/accounts/{ident}/keys/{gone}"),
                      lambda was, now: now == {**was, name: left})

    def _versioning(self, state: State) -> Change | None:
        to = "Suspended" if state["versioning"] == "Enabled" else "Enabled"

        def put() -> None:
            client = self.server.client()
            response = client.call("PUT", BUCKET, query={"versioning": ""}, body=VERSIONING.format(to).encode())
            client.close()
            if response.status != 200:
                raise AdminRefused(f"versioning: {response.status}")

        return Change("versioning", "versioning", put, lambda was, now: now == to)

    def _handle_key(self, state: State) -> Change | None:
        del state
        return Change("handle key", "handle-key", self._post("/v1/handle-key?force=true", None), lambda was, now: True)

    def _drive(self, state: State) -> Change | None:
        have = state["drives"]
        leaving = sorted(u for u, (_, draining) in have.items() if draining)
        staying = sorted(u for u, (_, draining) in have.items() if not draining)
        if leaving:
            gone = self._drained(0 if self.random.random() < 0.5 else DRAIN_SECONDS)
            if gone and self.random.random() < 0.9:
                return Change("drive remove", "drives", self._delete(f"/v1/drives/{have[gone][0]}"), self._without(gone))
            return self._drain(have, self.random.choice(leaving), False) if self.random.random() < 0.3 else None
        if len(have) >= MOST_DRIVES or (len(have) > DRIVES and self.random.random() < 0.4):
            return self._drain(have, self.random.choice(staying), True)
        place = self.server.root / self._name("added")
        place.mkdir(mode=0o700)
        if self.random.random() < 0.5:
            return Change("drive add", "drives", self._post("/v1/drives", {"path": str(place)}), self._joined(None))
        old = self.random.choice(staying)
        body = {"path": str(place), "replaces": have[old][0]}
        return Change("drive replace", "drives", self._post("/v1/drives", body), self._joined(old))

    def _drained(self, seconds: float) -> str:
        """A drive that may be removed, if there is one by then."""
        deadline = time.monotonic() + seconds
        while True:
            drives = self.server.admin("GET", "/v1/drives")["drives"]
            found = sorted(d["uuid"] for d in drives if d["state"] == "drained")
            if found or time.monotonic() >= deadline:
                return found[0] if found else ""
            time.sleep(0.1)

    def _drain(self, have: dict[str, Any], drive: str, on: bool) -> Change:
        slot = have[drive][0]
        return Change("drive drain" if on else "drive drain --cancel", "drives",
                      lambda: self.server.admin("PATCH", f"/v1/drives/{slot}", {"draining": on}),
                      lambda was, now: now == {**was, drive: (slot, on)})

    @staticmethod
    def _joined(old: str | None) -> Callable[[Any, Any], bool]:
        def done(was: Any, now: Any) -> bool:
            new = [u for u in now if u not in was]
            want = dict(was) if old is None else {**was, old: (was[old][0], True)}
            return len(new) == 1 and not now[new[0]][1] and {u: v for u, v in now.items() if u in was} == want
        return done

    # Killed in the middle.

    def attempt(self, change: Change, kill_after: float | None) -> Outcome:
        """Asks for it, and kills the server meanwhile."""
        out = Outcome()

        def ask() -> None:
            began = time.monotonic()
            try:
                out.answer = change.run()
                out.acked = True
            except AdminRefused as refusal:
                out.refused = str(refusal)
            except (OSError, http.client.HTTPException, ValueError):
                pass
            out.seconds = time.monotonic() - began

        caller = threading.Thread(target=ask)
        caller.start()
        if kill_after is not None:
            time.sleep(kill_after)
            self.server.kill()
        caller.join(PATIENCE)
        return out

    def check_handle_key(self, outcome: Outcome) -> None:
        """Its number goes up by one each time, and by one more at most for one that nobody heard of."""
        if outcome.acked:
            number = outcome.answer["key_number"]
            if self.handle_key and number not in (self.handle_key + 1, self.handle_key + 2):
                self.problems.append(f"handle key {number} after {self.handle_key}")
            self.handle_key = number

    def round(self, state: State) -> State:
        """One change, one kill, one start, and the change again if it was not made. The state after it."""
        change = self.choose(state)
        self.kinds[change.kind] += 1
        usual = self._usual.get(change.kind, 0.05)
        outcome = self.attempt(change, self.random.uniform(0, usual * 1.6))
        self.acked += outcome.acked
        if outcome.acked:
            self._usual[change.kind] = usual * 0.7 + outcome.seconds * 0.3
        self.slowest_start = max(self.slowest_start, self.server.start(PATIENCE))
        now = self.state()
        undone = now == state
        if {k: v for k, v in now.items() if k != change.section} != {k: v for k, v in state.items() if k != change.section}:
            self.problems.append(f"{change.kind} changed something else: {state} became {now}")
        done = not undone and change.done(state[change.section], now[change.section])
        self.before += undone
        self.after += done
        if change.section == "handle-key":
            self.check_handle_key(outcome)
            self.check_handle_key(self.attempt(change, None))
            self.rounds += 1
            return now
        if not done and not undone:
            self.problems.append(f"{change.kind} is half done: {state[change.section]} became {now[change.section]}")
        if outcome.acked and not done:
            self.problems.append(f"{change.kind} was answered, and is not done: {now[change.section]}")
        self.rounds += 1
        return now if done or self.problems else self.repeat(change, now)

    def repeat(self, change: Change, state: State) -> State:
        """It was not made: it can be, by the same words; what drains takes a while."""
        deadline = time.monotonic() + PATIENCE
        while True:
            began = time.monotonic()
            again = self.attempt(change, None)
            if again.acked or "409" not in again.refused or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        now = self.state()
        if not again.acked or not change.done(state[change.section], now[change.section]):
            self.problems.append(f"{change.kind} again: {again.refused or again.answer}, {now[change.section]}")
        usual = self._usual.get(change.kind)
        took = time.monotonic() - began
        self._usual[change.kind] = took if usual is None else usual * 0.7 + took * 0.3
        return now

    def tidy(self, state: State) -> None:
        """Directories of drives that are members no more."""
        used = {d["path"] for d in self.server.admin("GET", "/v1/drives")["drives"]}
        del state
        for place in self.server.root.glob("added-*"):
            if str(place) not in used:
                shutil.rmtree(place)

    def look(self) -> None:
        """Nothing that was stored is lost on the way."""
        client = self.server.client()
        self.problems += self.population.look(client).problems()[:3] + self.population.check_listing(client)
        client.close()


def run(test: AdminKills, points: int) -> None:
    """The rounds, until there is a problem."""
    client = test.server.client()
    test.population.fill(client)
    client.close()
    state = test.state()
    for number in range(1, points + 1):
        state = test.round(state)
        if number % 20 == 0 or number == points:
            test.tidy(state)
            test.look()
            print(f"admin kills: {number}/{points}, {test.acked} answered, {test.before} before, {test.after} after, "
                  f"slowest start {test.slowest_start:.2f} s", flush=True)
        if test.problems:
            return


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True, help="the server binary")
    parser.add_argument("--points", type=int, default=500, help="kills")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--scratch", type=Path, help="where the drives go (default: the system's temp directory)")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    print(f"admin kills: seed {seed}", flush=True)
    nfs = f'[nfs]\nlisten = "127.0.0.1:{free_ports(1)[0]}"'
    with Server(options.outcropd, drives=DRIVES, scratch=options.scratch, extra_config=nfs) as server:
        test = AdminKills(server, seed)
        try:
            run(test, options.points)
        except (ServerFailed, AdminRefused) as failure:
            test.problems.append(str(failure))
        server.keep = bool(test.problems)
    for problem in test.problems[:20]:
        print(f"  {problem}")
    print("admin kills: " + ", ".join(f"{kind} {count}" for kind, count in sorted(test.kinds.items())))
    print(f"admin kills: seed {seed}, {test.rounds} kills, {test.acked} answered before the kill, {test.before} as before, "
          f"{test.after} as after, slowest start {test.slowest_start:.2f} s, {len(test.problems)} problems")
    return 1 if test.problems else 0


if __name__ == "__main__":
    sys.exit(main())
