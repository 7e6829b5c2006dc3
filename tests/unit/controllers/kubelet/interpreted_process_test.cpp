// Processes that somebody talks to: shells that read commands, commands that read input, terminals.
#include <doctest/doctest.h>

#include "controllers/kubelet/process.h"

using namespace kubemu;
using namespace kubemu::controllers::kubelet;
using namespace std::chrono_literals;

namespace {

const Time start{};

struct Talk {
    explicit Talk(std::vector<std::string> argv, bool tty = false) {
        ProcessContext context;
        context.argv = std::move(argv);
        context.host_name = "web";
        context.files = files;
        context.started_at = start;
        context.unknown_runs_for_ever = false;
        auto conversation = std::make_shared<Conversation>();
        conversation->in = conversation->strict = true;
        conversation->tty = tty;
        conversation->prompt = "\\w # ";
        Identity self;
        self.tasks = {{1, "root", "nginx"}};
        context.identity = std::make_shared<const Identity>(self);
        context.conversation = conversation;
        process = make_interpreted_process(std::move(context));
    }

    // What it writes until then: standard output, and standard error in <>.
    std::string advance(Duration by = 0s) {
        now += by;
        std::string text;
        state = process->advance(now, [&text](Time, std::string_view part, int descriptor) {
            text += descriptor == 2 ? "<" + std::string(part) + ">" : std::string(part);
        });
        return text;
    }
    std::string say(std::string_view text) {
        process->input(text, now);
        return advance();
    }
    std::string close() {
        process->input_closed(now);
        return advance();
    }

    std::shared_ptr<FileSystem> files = std::make_shared<FileSystem>();
    std::unique_ptr<Process> process;
    Process::State state;
    Time now = start;
};

}  // namespace

TEST_CASE("a shell without a script reads commands, and ends with its input or by exit") {
    Talk talk({"sh"});
    CHECK(talk.advance().empty());
    CHECK(talk.say("x=1; cd /tmp\necho $x ").empty());
    CHECK(talk.say("in $(pwd)\n") == "1 in /tmp\n");
    CHECK(talk.say("for i in 1 2; do\necho $i\n").empty());
    CHECK(talk.say("done; echo 'a\nb'\n") == "1\n2\na\nb\n");
    CHECK(talk.say("nope\necho $?\n") == "<sh: nope: not found\n>127\n");
    CHECK_FALSE(talk.state.exited);
    CHECK(talk.say("false\n").empty());
    CHECK(talk.close().empty());
    CHECK(talk.state.exited);
    CHECK(talk.state.exit_code == 1);
    Talk other({"sh"});
    other.say("exit 4\necho never\n");
    CHECK(other.state.exited);
    CHECK(other.state.exit_code == 4);
}

TEST_CASE("commands take the input that comes behind them") {
    Talk talk({"sh", "-c", "read first; echo [$first]; while read l; do echo \"- $l\"; done; echo end"});
    CHECK(talk.advance().empty());
    CHECK(talk.say("a b\nc\n") == "[a b]\n- c\n");
    CHECK(talk.say("d\n") == "- d\n");
    CHECK(talk.close() == "end\n");
    CHECK(talk.state.exited);
    Talk cat({"cat"});
    CHECK(cat.say("one\n") == "one\n");
    CHECK(cat.say("two") == "two");
    CHECK(cat.close().empty());
    CHECK(cat.state.exited);
    Talk sorted({"sh", "-c", "sort | tail -n 1; cat - > /tmp/rest"});
    CHECK(sorted.say("b\nc\n").empty());
    CHECK(sorted.say("a\n").empty());
    CHECK(sorted.close() == "c\n");
    Talk counted({"wc", "-c"});
    CHECK(counted.say("12").empty());
    CHECK(counted.say("345").empty());
    CHECK(counted.close() == "5\n");
    Talk kept({"sh", "-c", "cat > /tmp/all"});
    kept.say("1\n");
    kept.say("2\n");
    kept.close();
    CHECK(kept.files->read("/tmp/all") == "1\n2\n");
}

TEST_CASE("time passes as it does for the cluster, and an interrupt does not wait for it") {
    Talk talk({"sh"}, true);
    CHECK(talk.advance() == "/ # ");
    CHECK(talk.say("sleep 5; echo up\r") == "sleep 5; echo up\r\n");
    REQUIRE(talk.state.next);
    CHECK(*talk.state.next == start + 5s);
    CHECK(talk.advance(5s) == "up\r\n/ # ");
    CHECK(talk.say("sleep 1000\r") == "sleep 1000\r\n");
    CHECK(talk.say("\x03") == "^C\r\n/ # ");
    CHECK(talk.say("echo $?\r") == "echo $?\r\n130\r\n/ # ");
    CHECK(talk.say("echo wrong >&2\r") == "echo wrong >&2\r\nwrong\r\n/ # ");
    CHECK(talk.say("\x04").empty());
    CHECK(talk.state.exited);
    Talk alone({"sleep", "1000"}, true);
    alone.say("\x03");
    CHECK(alone.state.exited);
    CHECK(alone.state.exit_code == 130);
}

TEST_CASE("a command can say where it runs") {
    CHECK(Talk({"whoami"}).advance() == "root\n");
    CHECK(Talk({"ps"}).advance().find("    1 root      0:00 nginx\n") != std::string::npos);
    CHECK(Talk({"id"}).advance() == "uid=0(root) gid=0(root) groups=0(root)\n");
    CHECK(Talk({"uname", "-n"}).advance() == "web\n");
    CHECK(Talk({"sh", "-c", "basename /a/b.txt .txt; dirname /a/b"}).advance() == "b\n/a\n");
}

TEST_CASE("archives of tar come out as they went in") {
    Talk made({"sh", "-c", "mkdir -p /d/e; echo 1 > /d/one; printf '2' > /d/e/two; cd /; tar cf /a.tar d; tar cf - d/one"});
    const std::string archive = made.advance();
    CHECK(archive.size() == 4 * 512);
    CHECK(archive.substr(257, 5) == "ustar");
    Talk listed({"tar", "tf", "-"});
    listed.say(*made.files->read("/a.tar"));
    CHECK(listed.close() == "d/\nd/e/\nd/e/two\nd/one\n");
    Talk back({"tar", "-xmf", "-", "-C", "/tmp"});
    back.say(*made.files->read("/a.tar"));
    back.close();
    CHECK(back.state.exit_code == 0);
    CHECK(back.files->read("/tmp/d/one") == "1\n");
    CHECK(back.files->read("/tmp/d/e/two") == "2");
    Talk broken({"tar", "xf", "-"});
    broken.say("no archive at all" + std::string(600, 'x'));
    CHECK(broken.close() == "<tar: invalid tar magic\n>");
    CHECK(broken.state.exit_code == 1);
    CHECK(Talk({"tar", "cf", "-", "/none"}).advance().find("tar: /none: No such file or directory") != std::string::npos);
}

TEST_CASE("a pipeline goes on as its input comes in") {
    Talk talk({"sh", "-c", "cat | grep x"});
    CHECK(talk.advance().empty());
    CHECK(talk.say("a\nx1\n") == "x1\n");
    CHECK(talk.say("part x").empty());
    CHECK(talk.say("2\nno\n") == "part x2\n");
    CHECK_FALSE(talk.state.exited);
    CHECK(talk.close().empty());
    CHECK(talk.state.exited);
    CHECK(talk.state.exit_code == 0);  // a line was found, though not among the last

    Talk loop({"sh", "-c", "while read l; do echo \"<$l>\"; done | tee /tmp/f | grep -v b; echo then"});
    loop.advance();
    CHECK(loop.say("a\nb\n") == "<a>\n");
    CHECK(loop.say("c\n") == "<c>\n");
    CHECK(loop.files->read("/tmp/f") == "<a>\n<b>\n<c>\n");
    CHECK(loop.close() == "then\n");
    CHECK(loop.state.exited);
}

TEST_CASE("a pipeline ends with its last stage") {
    Talk head({"sh", "-c", "cat | head -n 2; echo then; cat"});
    head.advance();
    CHECK(head.say("1\n").empty());
    CHECK(head.say("2\n3\n") == "1\n2\nthen\n");
    CHECK(head.say("4\n") == "4\n");
    Talk quiet({"sh", "-c", "cat | grep -q x && echo found"});
    quiet.advance();
    CHECK(quiet.say("y\nx\n") == "found\n");
    CHECK(quiet.state.exited);
    Talk none({"sh", "-c", "cat | grep x"});
    none.advance();
    CHECK(none.say("y\n").empty());
    none.close();
    CHECK(none.state.exit_code == 1);
    Talk sorted({"sh", "-c", "cat | sort"});
    sorted.advance();
    CHECK(sorted.say("b\na\n").empty());
    CHECK(sorted.close() == "a\nb\n");
}

TEST_CASE("stages of a pipeline sleep by the clock, beside each other") {
    Talk talk({"sh", "-c", "for i in 1 2; do echo $i; echo e$i >&2; sleep 1; done | cat; echo end"});
    CHECK(talk.advance() == "<e1\n>1\n");
    CHECK(talk.state.next == start + 1s);
    CHECK(talk.advance(1s) == "<e2\n>2\n");
    CHECK(talk.advance(1s) == "end\n");
    CHECK(talk.state.exited);
    CHECK(talk.state.finished_at == start + 2s);
    Talk server({"sh", "-c", "nginx | cat"});
    server.advance(1h);
    CHECK_FALSE(server.state.exited);
}
