#!/usr/bin/python3
"""The same line on the laboratory's own PostgreSQL: made by hand from `sgld migrate --print-bootstrap`, and restarted hard
under sgld's feet. Wants SGLD = the program.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import first_round  # noqa: E402
import harness  # noqa: E402
from harness import scenario  # noqa: E402

SGLD = os.environ.get("SGLD", str(harness.ROOT / "build" / "asan" / "daemon" / "sgld"))
BIN = pathlib.Path("/usr/lib/postgresql/15/bin")
ROLES = ["lab_migrate", "lab_app", "lab_audit_w", "lab_audit_r", "lab_stats", "lab_backup"]


class External(unittest.TestCase):
    @classmethod
    def tool(cls, name, *arguments, **how):
        done = subprocess.run([str(BIN / name), *map(str, arguments)], cwd="/", capture_output=True, text=True, timeout=120,
                              **harness.as_user(cls.user), **how)
        if done.returncode != 0:
            raise harness.Failed(f"{name}: {done.stderr}")
        return done.stdout

    @classmethod
    def control(cls, *arguments):
        # pg_ctl's server would keep a pipe open for ever.
        subprocess.run([str(BIN / "pg_ctl"), "-D", str(cls.data), "-w", "-l", str(cls.folder / "server.log"), *arguments], cwd="/", check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120, **harness.as_user(cls.user))

    @classmethod
    def setUpClass(cls):
        cls.user = harness.service_user()
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="sgld-pg-", dir="/tmp"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        if os.geteuid() == 0:
            os.chown(cls.folder, cls.user.pw_uid, cls.user.pw_gid)
        cls.data = cls.folder / "data"
        cls.tool("initdb", "-D", cls.data, "-A", "peer", "-E", "UTF8", "--locale=C.UTF-8", "--data-checksums", "--no-sync")
        (cls.data / "pg_hba.conf").write_text("local all all peer map=lab\n")
        (cls.data / "pg_ident.conf").write_text("".join(f"lab {cls.user.pw_name} {role}\n" for role in [*ROLES, cls.user.pw_name]))
        with open(cls.data / "postgresql.conf", "a") as file:
            file.write(f"listen_addresses = ''\nunix_socket_directories = '{cls.folder}'\n")
        cls.control("start")
        cls.addClassCleanup(cls.control, "stop", "-m", "fast")
        cls.line = harness.Line(SGLD, settings={"database": {"mode": "external", "conninfo": f"host={cls.folder} dbname=sgl"}})
        cls.addClassCleanup(cls.line.close)
        cls.line.database = cls.folder
        script = cls.line.run("migrate", "--print-bootstrap")
        for _ in range(2):      # idempotent
            cls.tool("psql", "-h", cls.folder, "-d", "postgres", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-", input=script)
        cls.line.run("migrate")
        cls.line.load()
        cls.line.start()

    def test_1_the_first_round_is_the_same(self):
        played = first_round.Round(self.line)
        played.play(limit=120)
        problems = played.check()
        self.assertEqual(problems, [], "\n".join(problems))
        self.assertFalse((self.line.folder / "data" / "postgres").exists(), "no private cluster beside it")

    def test_2_nothing_is_seen_by_the_application_without_its_sites(self):
        counts = self.tool("psql", "-h", self.folder, "-U", "lab_app", "-d", "sgl", "-X", "-A", "-t", "-c",
                           "select count(*) from patient union all select count(*) from lab_order").split()
        self.assertEqual(counts, ["0", "0"])
        self.assertNotEqual(self.line.sql("select count(*) from patient"), [("0",)])
        self.assertEqual(self.line.sql("select distinct usesuper from pg_user where usename like 'lab_%'"), [("f",)])

    def test_3_a_hard_restart_of_the_database_is_survived(self):
        line = self.line
        accepted = {"dmp": "accepted", "patient": "accepted", "correspondents": "accepted", "dpi": "accepted"}
        now = scenario.datetime.datetime.now().astimezone() - scenario.datetime.timedelta(minutes=30)
        order = scenario.order("2620001", "690000021", "CH00008", "899900000058", [], ["GLU"], {"GLU": "5.30"}, now, "I", "V2620001", accepted)
        line.register(order)
        self.control("stop", "-m", "immediate")
        # No database, no promise: neither AA nor AE nor AR.
        with line.connect(order["site"], "analyser") as client:
            _, message = harness.analyser.build(order)
            try:
                self.assertIsNone(client.exchange(message, timeout=10))
            except (TimeoutError, ConnectionError):
                pass
        self.assertTrue(line.daemon.alive())
        self.control("start")

        def measured():
            try:
                line.measure(order)
                return True
            except (harness.Failed, OSError, TimeoutError):
                return False

        harness.wait_until("results taken after the restart", measured, 30, 0.5)
        status, value = line.biologist(order["site"]).validate(order["filler"])
        self.assertEqual(status, 201, value)
        operator = line.api(harness.OPERATOR)
        harness.wait_until("letters after the restart", lambda: not harness.letters_problems(order, operator.letters(order["filler"])), 60, 0.3)
        line.run("account", "--recount")
        line.run("audit")


if __name__ == "__main__":
    unittest.main()
