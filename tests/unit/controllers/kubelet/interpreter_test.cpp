// What container commands print, how they end, and when.
#include "controllers/kubelet/process.h"

#include <doctest/doctest.h>

using namespace kubemu;
using namespace kubemu::controllers::kubelet;

namespace {

const Time start = Time(std::chrono::seconds(1593329172));  // Sun Jun 28 07:26:12 UTC 2020

ProcessContext context(std::string script) {
    ProcessContext result;
    result.argv = {"sh", "-c", std::move(script)};
    result.env = {{"GREETING", "hello"}};
    result.host_name = "web-0";
    result.pod_namespace = "default";
    result.files = std::make_shared<FileSystem>();
    result.started_at = start;
    return result;
}

struct Ran {
    std::string text;
    Process::State state;
};

Ran run(std::string script, Duration length = std::chrono::hours(1)) {
    Ran result;
    const auto process = make_interpreted_process(context(std::move(script)));
    result.state = process->advance(start + length, [&](Time, std::string_view part, int) { result.text += part; });
    return result;
}

}  // namespace

TEST_CASE("scripts print what a shell prints") {
    const struct {
        const char *script, *text;
        int code;
    } table[] = {
        {"echo a  b 'c  d'", "a b c  d\n", 0},
        {"date", "Sun Jun 28 07:26:12 UTC 2020\n", 0},
        {"for i in 1 2 3; do echo \"$GREETING $i\"; done", "hello 1\nhello 2\nhello 3\n", 0},
        {"echo on its way; exit 3", "on its way\n", 3},
        {"false || echo no && echo yes", "no\nyes\n", 0},
        {"if [ -f /x ]; then echo there; elif test 1 -lt 2; then echo less; else echo never; fi", "less\n", 0},
        {"echo one > /tmp/f; echo two >> /tmp/f; cat /tmp/f; cat /tmp/f | wc -l", "one\ntwo\n2\n", 0},
        {"i=0; while [ $i -lt 3 ]; do i=$((i + 1)); [ $i = 2 ] && continue; echo $i; done", "1\n3\n", 0},
        {"while true; do echo x; break; done; echo end", "x\nend\n", 0},
        {"case $(hostname) in web-*) echo web;; *) echo other;; esac", "web\n", 0},
        {"echo ${NONE:-fallback} ${GREETING#he} ${#GREETING}", "fallback llo 5\n", 0},
        {"[[ `hostname` =~ x ]]; N=$(hostname); echo ${N##*-}", "0\n", 0},
        {"! false; echo $?", "0\n", 0},
        {"cat <<END\n$GREETING\nEND\necho after", "hello\nafter\n", 0},
        {"printf '%s-%03d\\n' a 7", "a-007\n", 0},
        {"(exit 4); echo $?", "4\n", 0},
        {"{ echo a; echo b; } > /tmp/g; tail -n 1 /tmp/g", "b\n", 0},
        {"touch /d/b.txt /d/a.txt /d/.h /d/c.md; echo /d/*.txt /d/[bc]* '/d/*' /d/*.none /d/?.[!t]*; cd /d; for f in *; do echo $f; done",
         "/d/a.txt /d/b.txt /d/b.txt /d/c.md /d/* /d/*.none /d/c.md\na.txt\nb.txt\nc.md\n", 0},
        {"touch /d/x/1 /d/y/2; P='/d/*/1'; echo $P \"$P\" /d/*/; cd /; [[ data == d* ]] && echo same; echo [ a ]",
         "/d/x/1 /d/*/1 /d/x/ /d/y/\nsame\n[ a ]\n", 0},
        {"mkdir -p /d; touch /d/x/1 /d/2; find /d -mindepth 1 -maxdepth 1; find /d -mindepth 1 -delete; ls -A /d; test -d /d || echo gone", "/d/2\n/d/x\n", 0},
        {"seq 3 | grep -v 2 | sort -r", "3\n1\n", 0},
        {"perl -Mbignum=bpi -wle 'print bpi(12)'", "3.14159265358\n", 0},
        {"echo a:b:c | cut -d: -f2,3; echo abcdef | cut -c2-3", "b:c\nbc\n", 0},
        {"echo 'a  B' | tr -s ' ' | tr a-z A-Z; echo x1y2 | tr -d '[:digit:]'", "A B\nxy\n", 0},
        {"echo foo | rev; expr 2 + 3; echo hi | base64; echo aGkK | base64 -d", "oof\n5\naGkK\nhi\n", 0},
        {"printf 'a1\\nb2\\nc3\\n' | sed -n '/b/p'; echo aXbXc | sed 's/X/-/g'", "b2\na-b-c\n", 0},
        {"echo 'v: 12' | sed -E 's/.*: ([0-9]+)/<\\1>/'; seq 4 | sed '2,3d'; seq 3 | sed '$d'", "<12>\n1\n4\n1\n2\n", 0},
        {"echo a > /tmp/s; sed -i 's/\\(a\\)/\\1\\1/' /tmp/s; cat /tmp/s", "aa\n", 0},
        {"items=(foo bar 'b az'); i=2; echo ${items[$i]} ${items[0]} ${#items[@]}; echo ${items[@]}",
         "b az foo 3\nfoo bar b az\n", 0},
        {"[[ $(hostname) =~ -([0-9]+)$ ]] && echo ${BASH_REMATCH[1]}; [[ web =~ ^x ]] || echo no", "0\nno\n", 0},
        {"echo kept > /tmp/v; echo \"<$(</tmp/v)>\"; printenv GREETING NOTHING GREETING", "<kept>\nhello\nhello\n", 1},
        {"mkdir -p /d/e; touch /d/e/f /d/.hidden; ls /d; ls -A /d; ls -d /d; find /d -name 'f'",
         "e\n.hidden\ne\n/d\n/d/e/f\n", 0},
        {"python3 -c 'import os, sys\nif int(os.environ.get(\"N\", \"4\")) % 2 == 0:\n  print(\"even\")\n  sys.exit(3)\n'",
         "even\n", 3},
        {"python3 -c 'x = \"2\"\nif x == \"1\":\n  exit(1)\nelif x == \"2\":\n  print(x + \"!\", 7 // 2)\nelse:\n  exit(2)'",
         "2! 3\n", 0},
        {"cat /nowhere", "cat: can't open '/nowhere': No such file or directory\n", 1},
    };
    for (const auto& row : table) {
        CAPTURE(row.script);
        const Ran ran = run(row.script);
        CHECK(ran.text == row.text);
        CHECK(ran.state.exited);
        CHECK(ran.state.exit_code == row.code);
    }
}

TEST_CASE("a loop that sleeps goes on as time passes") {
    const auto process = make_interpreted_process(context("while true; do echo tick; sleep 5; done"));
    int ticks = 0;
    const auto count = [&](Time, std::string_view, int) { ++ticks; };
    Process::State state = process->advance(start, count);
    CHECK(ticks == 1);
    CHECK(*state.next == start + std::chrono::seconds(5));
    state = process->advance(start + std::chrono::seconds(21), count);
    CHECK(ticks == 5);
    CHECK_FALSE(state.exited);
}

TEST_CASE("tail -f shows what is written behind what it has shown") {
    const auto files = std::make_shared<FileSystem>();
    ProcessContext following = context("tail -n +1 -F /log");
    following.files = files;
    const auto process = make_interpreted_process(following);
    std::string text;
    const auto keep = [&text](Time, std::string_view part, int) { text += part; };
    process->advance(start + std::chrono::seconds(1), keep);
    CHECK(text.empty());
    files->write("/log", "one\n", true);
    process->advance(start + std::chrono::seconds(3), keep);
    files->write("/log", "two\n", true);
    const Process::State state = process->advance(start + std::chrono::seconds(5), keep);
    CHECK(text == "one\ntwo\n");
    CHECK_FALSE(state.exited);
    CHECK(*state.next > start + std::chrono::seconds(5));
}

TEST_CASE("an exec probe sees the files of its moment") {
    const auto process = make_interpreted_process(context("touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600"));
    const auto nothing = [](Time, std::string_view, int) {};
    process->advance(start + std::chrono::seconds(10), nothing);
    CHECK(process->exec({"cat", "/tmp/healthy"}, start).exit_code == 0);
    process->advance(start + std::chrono::seconds(31), nothing);
    CHECK(process->exec({"cat", "/tmp/healthy"}, start).exit_code == 1);
}

TEST_CASE("a trap runs once the command that runs is through; wait ends at once") {
    struct Row {
        const char* script;
        int ends_at;  // seconds; asked to end after 12
        int code;
        const char* text;
    };
    const Row table[] = {
        {"trap 'echo bye; exit 3' TERM; while true; do sleep 5; done", 15, 3, "bye\n"},
        {"trap 'exit 0' SIGTERM; sleep 100 & wait $!; echo never", 12, 0, ""},
        {"trap 'echo last; exit 5' TERM; sleep 100 & wait", 12, 5, "last\n"},
        {"trap 'echo last; exit 5' TERM; sleep 20", 20, 5, "last\n"},
        {"trap 'echo a; sleep 2; echo b' 15; sleep 20; echo rest", 22, 0, "a\nb\nrest\n"},
        {"trap 'echo stop' TERM; sleep infinity & wait; echo $?", 12, 0, "stop\n143\n"},
        {"trap 'echo end' EXIT; trap 'exit 4' TERM; for i in 1 2 3; do sleep 10; done", 20, 4, "end\n"},
        {"trap 'echo one' TERM; trap - TERM; sleep 30", 30, 0, ""},
    };
    for (const Row& row : table) {
        CAPTURE(row.script);
        const auto process = make_interpreted_process(context(row.script));
        std::string text;
        const auto write = [&](Time, std::string_view part, int) { text += part; };
        process->advance(start + std::chrono::seconds(12), write);
        process->terminate(start + std::chrono::seconds(12));
        const Process::State state = process->advance(start + std::chrono::seconds(60), write);
        CHECK(state.exited);
        CHECK(state.exit_code == row.code);
        CHECK(state.finished_at == start + std::chrono::seconds(row.ends_at));
        CHECK(text == row.text);
    }
}

TEST_CASE("what asking a process to end does") {
    const auto asked = [](const std::string& script) {
        auto process = make_interpreted_process(context(script));
        process->advance(start, [](Time, std::string_view, int) {});
        return process;
    };
    using On = Process::OnTerminate;
    struct Row {
        const char* script;
        On on;
        int code = 0;  // of those that end
    };
    const Row table[] = {
        {"sleep 100", On::ignores},
        {"tail -f /dev/null", On::ignores},
        {"while true; do sleep 1; done", On::ignores},
        {"trap '' TERM; sleep 100", On::ignores},
        {"trap : TERM; sleep 100", On::handles},
        {"trap : TERM; exec sleep infinity", On::ignores},  // there is no shell any more
        {"nginx -g 'daemon off;'", On::ends, 0},
        {"echo up; nginx", On::ignores},  // the shell is the first process
        {"echo up; exec nginx", On::ends, 0},
        {"agnhost netexec", On::ends, 2},
        {"exec node server.js", On::ignores},
        {"exec java -jar app.jar", On::ends, 143},
        {"exec /app/server --port 80", On::ends, 0},
        {"tini -- sleep 100", On::ends, 143},
    };
    for (const Row& row : table) {
        CAPTURE(row.script);
        const auto process = asked(row.script);
        CHECK(process->on_terminate() == row.on);
        if (row.on == On::ends) CHECK(process->end_code() == row.code);
    }
    // A pod that shares its process namespace has another first process.
    ProcessContext shared = context("sleep 100");
    shared.first_process = false;
    const auto process = make_interpreted_process(shared);
    CHECK(process->on_terminate() == On::ends);
    CHECK(process->end_code() == 143);
}

TEST_CASE("jobs in the background are waited for, and the trap EXIT runs at every end") {
    const auto ended = [](const std::string& script) {
        const auto process = make_interpreted_process(context(script));
        std::string text;
        const Process::State state = process->advance(start + std::chrono::hours(1), [&](Time, std::string_view part, int) { text += part; });
        return text + std::to_string(state.exit_code) + " " +
               std::to_string(std::chrono::duration_cast<std::chrono::seconds>(state.finished_at - start).count());
    };
    CHECK(ended("sleep 7 & sleep 3 & wait; echo done") == "done\n0 7");
    CHECK(ended("sleep 7 & sleep 3 & wait $!") == "0 3");
    CHECK(ended("sleep 100 & kill $!; wait") == "0 0");
    CHECK(ended("trap 'echo out' EXIT; echo in") == "in\nout\n0 0");
    CHECK(ended("trap 'echo out; exit 9' 0; exit 2") == "out\n9 0");
}

TEST_CASE("endless and hostile scripts stay bounded") {
    CHECK_FALSE(run("while true; do :; done").state.exited);
    CHECK_FALSE(run("sleep infinity").state.exited);
    CHECK(run("x=$(while true; do echo y; done); echo $x").text.size() < 1'000'000);
    CHECK(run("echo $((((((((((1))))))))))").state.exited);
    CHECK(run("if").state.exit_code == 2);
    CHECK(run("f() { f; }; f").state.exit_code == 2);
    CHECK(run("echo $((9223372036854775807 + 1)) $((1 / 0))").state.exited);
    CHECK(run("sh -c 'sh -c \"echo deep\"'").text == "deep\n");
}
