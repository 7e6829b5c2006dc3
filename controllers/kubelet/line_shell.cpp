// Lines into commands.
#include "controllers/kubelet/line_shell.h"

#include <algorithm>

namespace kubemu::controllers::kubelet::shell {
namespace {

// An open quote, or a line break that does not count.
bool is_open(std::string_view script) {
    char quote = 0;
    for (std::size_t i = 0; i < script.size(); ++i) {
        const char c = script[i];
        if (c == '\\' && quote != '\'') {
            if (i + 2 >= script.size()) return true;
            ++i;
        } else if (quote != 0) {
            if (c == quote) quote = 0;
        } else if (c == '\'' || c == '"' || c == '`') {
            quote = c;
        } else if (c == '#' && (i == 0 || script[i - 1] == ' ' || script[i - 1] == '\n')) {
            i = std::min(script.find('\n', i), script.size() - 1);
        }
    }
    return quote != 0;
}

// A here-document whose last line has not come.
bool awaits_document(std::string_view script) {
    const std::size_t at = script.find("<<");
    if (at == script.npos || script.substr(at, 3) == "<<<") return false;
    std::size_t begin = at + 2;
    while (begin < script.size() && (script[begin] == '-' || script[begin] == ' ' || script[begin] == '\'' || script[begin] == '"')) ++begin;
    const std::size_t end = std::min(script.find_first_of(" \n'\";|>&)", begin), script.size());
    const std::string word(script.substr(begin, end - begin));
    if (word.empty()) return false;
    std::string_view rest = script.substr(std::min(script.find('\n', at), script.size()));
    while (!rest.empty()) {
        rest.remove_prefix(1);
        const std::size_t stop = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, stop);
        while (!line.empty() && line[0] == '\t') line.remove_prefix(1);
        if (line == word) return false;
        rest.remove_prefix(stop);
    }
    return true;
}

}  // namespace

bool is_incomplete(std::string_view script, const Program& program) {
    if (is_open(script) || awaits_document(script)) return true;
    return program.error.find("\"end of file\"") != std::string::npos;
}

std::shared_ptr<const Program> LineShell::next(Input& input) {
    for (;;) {
        const std::size_t end = input.text.find('\n');
        if (end == std::string::npos && (input.open || (input.text.empty() && taken_.empty()))) return nullptr;
        taken_ += input.text.substr(0, end) + "\n";
        input.text.erase(0, end == std::string::npos ? end : end + 1);
        auto program = parse(taken_);
        if (is_incomplete(taken_, *program) && (input.open || !input.text.empty())) continue;
        taken_.clear();
        if (program->code.empty() && program->error.empty()) continue;  // an empty line
        return program;
    }
}

std::string LineShell::prompt(const Machine& machine, std::string_view format) const {
    if (!taken_.empty()) return "> ";
    std::string text;
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '\\' || i + 1 >= format.size()) {
            text += format[i];
            continue;
        }
        ++i;
        if (format[i] == 'w') text += machine.directory;
        else if (format[i] == 'h') text += machine.host_name;
        else if (format[i] == 'u')
            text += (machine.identity != nullptr ? machine.identity->user_name() : std::string("root"));
        else text += format[i];
    }
    return text;
}

}  // namespace kubemu::controllers::kubelet::shell
