// A terminal: what keys show, and what they mean to the program.
#include "controllers/kubelet/terminal.h"

#include <doctest/doctest.h>

using namespace kubemu::controllers::kubelet;

namespace {

// "text|<interrupt>|<end>" and what was echoed.
std::string typed(Terminal& terminal, std::string_view keys, std::string& echo) {
    std::string told;
    for (const Terminal::Event& event : terminal.type(keys, echo)) {
        using Kind = Terminal::Event::Kind;
        told += (told.empty() ? "" : "|") + (event.kind == Kind::text ? event.text : event.kind == Kind::end ? "<end>" : "<interrupt>");
    }
    return told;
}

}  // namespace

TEST_CASE("lines are given whole and echoed, edited on the way") {
    Terminal terminal;
    std::string echo;
    CHECK(typed(terminal, "l", echo).empty());
    CHECK(typed(terminal, "x\x7fs\r", echo) == "ls\n");
    CHECK(echo == "lx\b \bs\r\n");
    echo.clear();
    CHECK(typed(terminal, "\x1b[A\x1b[1;5Cno\x15yes\n", echo) == "yes\n");  // arrows, and ctrl-U
    CHECK(echo == "no\b \b\b \byes\r\n");
    echo.clear();
    CHECK(typed(terminal, "\xc3\xa4\x7f\r", echo) == "\n");  // one letter of two bytes
    CHECK(echo == "\xc3\xa4\b \b\r\n");
}

TEST_CASE("ctrl-C gives the line up, ctrl-D ends the input or gives what there is") {
    Terminal terminal;
    std::string echo;
    CHECK(typed(terminal, "abc\x03", echo) == "<interrupt>");
    CHECK(echo == "abc^C\r\n");
    CHECK(typed(terminal, "de\x04\x04", echo) == "de|<end>");
}

TEST_CASE("output gets carriage returns once") { CHECK(Terminal::shown("a\nb\r\nc") == "a\r\nb\r\nc"); }
