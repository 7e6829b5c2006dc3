// Shell parser: a script becomes a flat list of instructions with jumps, so that running it needs no call stack and
// can stop at any sleep and go on later.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kubemu::controllers::kubelet::shell {

struct Redirect {
    enum class Kind { read, write, append, to_stdout, text } kind = Kind::write;
    int descriptor = 1;
    std::string word;  // raw; for `text` the here-document
    bool literal = false;
};

struct Program;

struct Instruction {
    enum class Op {
        command,       // words, redirects
        pipeline,      // stages
        subshell,      // stages[0] with its own variables
        jump,          // to target
        jump_if_ok,    // when the last status is 0
        jump_if_fail,
        negate,
        for_start,     // words: the list; slot
        for_next,      // words[0]: the variable; to target when the list is over
        case_match,    // words[0] against the others; to target when none matches
        set_ok,
        redirect,      // opens redirects until the matching end_redirect
        end_redirect,
    } op = Op::command;
    std::vector<std::string> words;
    std::vector<Redirect> redirects;
    std::vector<std::shared_ptr<const Program>> stages;
    std::size_t target = 0;
    int slot = 0;
    bool background = false;
};

struct Program {
    std::vector<Instruction> code;
    int slots = 0;
    std::string error;  // "syntax error: ..." when it does not parse; it then ends with 2
};

std::shared_ptr<const Program> parse(std::string_view script);

}  // namespace kubemu::controllers::kubelet::shell
