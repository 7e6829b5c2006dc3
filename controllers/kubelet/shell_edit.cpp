// Commands of simulated containers that change lines: cut, tr, sed.
#include <algorithm>
#include <cctype>
#include <memory>
#include <optional>
#include <utility>

#include "api/values/text.h"
#include "controllers/kubelet/shell_commands.h"
#include "controllers/kubelet/shell_pattern.h"

namespace kubemu::controllers::kubelet::shell {
namespace {

// "1,3-5": whether the list has this number, from 1.
bool listed(const std::string& list, std::size_t number) {
    for (const std::string_view part : api::split(list, ',')) {
        const auto dash = part.find('-');
        const auto first = static_cast<std::size_t>(std::atol(std::string(part.substr(0, dash)).c_str()));
        const auto last =
            dash == part.npos ? first
            : dash + 1 == part.size()
                ? std::string::npos
                : static_cast<std::size_t>(std::atol(std::string(part.substr(dash + 1)).c_str()));
        if (number >= std::max<std::size_t>(first, 1) && number <= last) return true;
    }
    return false;
}

// "a-z", "[:upper:]" and escapes, written out.
std::string characters(std::string_view set) {
    const auto range = [](char from, char to) {
        std::string all;
        for (int c = static_cast<unsigned char>(from); c <= static_cast<unsigned char>(to); ++c)
            all += static_cast<char>(c);
        return all;
    };
    std::string all;
    for (std::size_t i = 0; i < set.size(); ++i) {
        if (set.substr(i, 9) == "[:upper:]" || set.substr(i, 9) == "[:lower:]" ||
            set.substr(i, 9) == "[:digit:]" || set.substr(i, 9) == "[:space:]") {
            const char kind = set[i + 2];
            all += kind == 'u'   ? range('A', 'Z')
                   : kind == 'l' ? range('a', 'z')
                   : kind == 'd' ? range('0', '9')
                                 : std::string(" \t\n\v\f\r");
            i += 8;
        } else if (set[i] == '\\' && i + 1 < set.size()) {
            const char c = set[++i];
            all += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == '0' ? '\0' : c;
        } else if (i + 2 < set.size() && set[i + 1] == '-' && set[i] <= set[i + 2]) {
            all += range(set[i], set[i + 2]);
            i += 2;
        } else {
            all += set[i];
        }
    }
    return all;
}

// A basic regular expression has the meanings of ( ) { } + ? | the other way round.
std::string extended(std::string_view basic) {
    std::string text;
    for (std::size_t i = 0; i < basic.size(); ++i) {
        constexpr std::string_view swapped = "(){}+?|";
        if (basic[i] == '\\' && i + 1 < basic.size()) {
            if (swapped.find(basic[i + 1]) == swapped.npos) text += '\\';
            text += basic[++i];
        } else {
            if (swapped.find(basic[i]) != swapped.npos) text += '\\';
            text += basic[i];
        }
    }
    return text;
}

struct SedAddress {
    std::size_t line = 0;
    bool last = false;
    std::shared_ptr<const Pattern> pattern;
};

struct SedCommand {
    std::optional<SedAddress> from, to;
    bool negated = false, inside = false;
    char name = 0;
    std::shared_ptr<const Pattern> pattern;
    std::string text;  // of s: the replacement; of a, i and c: the lines
    bool global = false, prints = false;
};

class SedScript {
  public:
    SedScript(std::string_view text, bool extended_syntax) : text_(text), extended_(extended_syntax) {}

    // Nothing when it is no script.
    std::optional<std::vector<SedCommand>> read() {
        std::vector<SedCommand> commands;
        for (skip(" \t\n;"); at_ < text_.size(); skip(" \t\n;")) {
            SedCommand command;
            command.from = address();
            if (command.from && peek() == ',') {
                ++at_;
                command.to = address();
            }
            skip(" \t");
            if (peek() == '!') command.negated = true, ++at_;
            command.name = peek();
            ++at_;
            if (command.name == 's') {
                if (!substitution(command)) return std::nullopt;
            } else if (command.name == 'a' || command.name == 'i' || command.name == 'c') {
                skip(" \t\\\n");
                const auto end = std::min(text_.find('\n', at_), text_.size());
                command.text = text_.substr(at_, end - at_);
                at_ = end;
            } else if (command.name != 'd' && command.name != 'p' && command.name != 'q') {
                return std::nullopt;
            }
            commands.push_back(std::move(command));
        }
        return commands;
    }

  private:
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    void skip(std::string_view set) {
        while (at_ < text_.size() && set.find(text_[at_]) != set.npos) ++at_;
    }

    // Up to the next `end` that no backslash precedes.
    std::string until(char end) {
        std::string part;
        while (at_ < text_.size() && text_[at_] != end) {
            if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
                if (text_[at_ + 1] != end) part += '\\';
                ++at_;
            }
            part += text_[at_++];
        }
        ++at_;
        return part;
    }

    std::shared_ptr<const Pattern> pattern(const std::string& text, bool any_case) const {
        return std::make_shared<const Pattern>((any_case ? "(?i)" : "") +
                                               (extended_ ? text : extended(text)));
    }

    std::optional<SedAddress> address() {
        SedAddress found;
        if (peek() == '$') {
            found.last = true;
            ++at_;
        } else if (peek() == '/') {
            ++at_;
            found.pattern = pattern(until('/'), false);
        } else if (std::isdigit(static_cast<unsigned char>(peek())) != 0) {
            while (std::isdigit(static_cast<unsigned char>(peek())) != 0 && found.line < 1'000'000)
                found.line = found.line * 10 + static_cast<std::size_t>(text_[at_++] - '0');
        } else {
            return std::nullopt;
        }
        return found;
    }

    bool substitution(SedCommand& command) {
        const char mark = peek();
        if (mark == '\0' || mark == '\n' || mark == '\\') return false;
        ++at_;
        const std::string from = until(mark);
        command.text = until(mark);
        bool any_case = false;
        for (; at_ < text_.size() && std::string_view("gpIi").find(text_[at_]) != std::string_view::npos;
             ++at_) {
            command.global = command.global || text_[at_] == 'g';
            command.prints = command.prints || text_[at_] == 'p';
            any_case = any_case || text_[at_] == 'i' || text_[at_] == 'I';
        }
        command.pattern = pattern(from, any_case);
        return command.pattern->valid();
    }

    std::string_view text_;
    bool extended_;
    std::size_t at_ = 0;
};

std::string replacement(const std::string& text, const std::vector<std::string>& groups) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '&') {
            result += groups[0];
        } else if (text[i] == '\\' && i + 1 < text.size()) {
            const char c = text[++i];
            const auto group = static_cast<std::size_t>(c - '0');
            if (c >= '0' && c <= '9')
                result += group < groups.size() ? groups[group] : "";
            else
                result += c == 'n' ? '\n' : c == 't' ? '\t' : c;
        } else {
            result += text[i];
        }
    }
    return result;
}

bool substitute(const SedCommand& command, std::string& line) {
    std::string result;
    std::size_t at = 0;
    bool changed = false;
    while (at <= line.size() && result.size() < output_bytes_max) {
        const auto match = command.pattern->first(line, at);
        if (!match) break;
        changed = true;
        result += line.substr(at, match->begin - at) + replacement(command.text, match->groups);
        at = match->begin + match->groups[0].size();
        if (match->groups[0].empty() && at < line.size()) result += line[at];
        if (match->groups[0].empty()) ++at;
        if (!command.global) break;
    }
    if (changed) line = result + (at < line.size() ? line.substr(at) : "");
    return changed;
}

bool at_address(const SedAddress& address, const std::string& line, std::size_t number, bool last) {
    if (address.pattern != nullptr) return address.pattern->first(line).has_value();
    return address.last ? last : address.line == number;
}

bool selected(SedCommand& command, const std::string& line, std::size_t number, bool last) {
    bool hit = true;
    if (command.from && command.to) {
        hit = command.inside || at_address(*command.from, line, number, last);
        const bool began = hit && !command.inside;
        command.inside = hit;
        const bool numbered = command.to->line > 0;
        if (hit &&
            (numbered ? number >= command.to->line : !began && at_address(*command.to, line, number, last)))
            command.inside = false;
    } else if (command.from) {
        hit = at_address(*command.from, line, number, last);
    }
    return hit != command.negated;
}

std::string edited(std::vector<SedCommand> commands, const std::string& text, bool quiet) {
    std::string out;
    const auto lines = lines_of(text);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        std::string line = lines[i], after;
        bool deleted = false, ends = false;
        for (SedCommand& command : commands) {
            if (deleted || ends || !selected(command, line, i + 1, i + 1 == lines.size())) continue;
            if (command.name == 's' && substitute(command, line) && command.prints) out += line + "\n";
            if (command.name == 'p') out += line + "\n";
            if (command.name == 'i' || command.name == 'c') out += command.text + "\n";
            if (command.name == 'a') after += command.text + "\n";
            deleted = command.name == 'd' || command.name == 'c';
            ends = command.name == 'q';
        }
        if (!deleted && !quiet) out += line + "\n";
        out += after;
        if (ends || out.size() > output_bytes_max) break;
    }
    return out;
}

}  // namespace

void cut_columns(Machine& machine, const Words& argv, Streams& streams) {
    std::string fields, bytes, mark = "\t";
    bool only_marked = false;
    Words files;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        const std::string& word = argv[i];
        const char option = word.size() > 1 && word[0] == '-' ? word[1] : '\0';
        if (option == 's') only_marked = true;
        if (option != 'f' && option != 'd' && option != 'c' && option != 'b') {
            if (option == '\0') files.push_back(word);
            continue;
        }
        const std::string value = word.size() > 2 ? word.substr(2) : i + 1 < argv.size() ? argv[++i] : "";
        if (option == 'd')
            mark = value.substr(0, 1);
        else
            (option == 'f' ? fields : bytes) = value;
    }
    for (const std::string& line : lines_of(input_of(machine, files, streams, "cut"))) {
        std::string text;
        if (!bytes.empty()) {
            for (std::size_t i = 0; i < line.size(); ++i)
                if (listed(bytes, i + 1)) text += line[i];
        } else if (mark.empty() || line.find(mark) == std::string::npos) {
            if (only_marked) continue;
            text = line;
        } else {
            const auto parts = api::split(line, mark[0]);
            bool first = true;
            for (std::size_t i = 0; i < parts.size(); ++i) {
                if (!listed(fields, i + 1)) continue;
                if (!std::exchange(first, false)) text += mark;
                text += parts[i];
            }
        }
        streams.out += text + "\n";
    }
}

void translate(Machine& machine, const Words& argv, Streams& streams) {
    std::string options;
    Words sets;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        if (sets.empty() && argv[i].size() > 1 && argv[i][0] == '-')
            options += argv[i].substr(1);
        else
            sets.push_back(argv[i]);
    }
    if (sets.empty()) return;
    const auto has = [&options](char letter) { return options.find(letter) != std::string::npos; };
    const std::string from = characters(sets[0]), to = sets.size() > 1 ? characters(sets[1]) : "";
    const std::string squeezed = !has('s') ? std::string() : to.empty() ? from : to;
    for (const char c : all_input(machine, streams)) {
        const auto at = from.find(c);
        const bool hit = (at == std::string::npos) == (has('c') || has('C'));
        if (hit && has('d')) continue;
        const char mapped =
            !hit || to.empty() ? c : to[std::min(at == std::string::npos ? to.size() : at, to.size() - 1)];
        const bool again = !streams.out.empty() && streams.out.back() == mapped &&
                           squeezed.find(mapped) != std::string::npos;
        if (!again) streams.out += mapped;
    }
}

void edit_lines(Machine& machine, const Words& argv, Streams& streams) {
    bool quiet = false, in_place = false, extended_syntax = false, given = false;
    std::string script;
    Words files;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        const std::string& word = argv[i];
        if (word == "-e" && i + 1 < argv.size()) {
            script += argv[++i] + "\n";
            given = true;
        } else if (word.size() > 1 && word[0] == '-') {
            quiet = quiet || word.find('n') != std::string::npos;
            in_place = in_place || word[1] == 'i';
            extended_syntax = extended_syntax || word.find_first_of("Er") != std::string::npos;
        } else if (!std::exchange(given, true)) {
            script = word;
        } else {
            files.push_back(word);
        }
    }
    const auto commands = SedScript(script, extended_syntax).read();
    if (!commands) {
        streams.err += "sed: unsupported command\n";
        machine.status = 1;
        return;
    }
    if (!in_place) {
        streams.out += edited(*commands, input_of(machine, files, streams, "sed"), quiet);
        return;
    }
    for (const std::string& file : files) {
        const std::string text = input_of(machine, {file}, streams, "sed");
        if (machine.status == 0)
            machine.files->write(path_of(machine, file), edited(*commands, text, quiet), false);
    }
}

}  // namespace kubemu::controllers::kubelet::shell
