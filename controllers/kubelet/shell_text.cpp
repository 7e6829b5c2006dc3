// Commands of simulated containers that filter lines of text.
#include <algorithm>
#include <cctype>

#include "api/values/text.h"
#include "controllers/kubelet/shell_commands.h"

namespace kubemu::controllers::kubelet::shell {
namespace {

// The letters of all options in one; the rest are files.
std::string options_of(const Words& argv, Words& files) {
    std::string options;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        if (argv[i].size() > 1 && argv[i][0] == '-')
            options += argv[i].substr(1);
        else
            files.push_back(argv[i]);
    }
    return options;
}

// Leading options such as -n 5, -5, -n5; the rest are files.
long count_option(const Words& argv, long fallback, Words& files) {
    for (std::size_t i = 1; i < argv.size(); ++i) {
        if ((argv[i] == "-n" || argv[i] == "-c") && i + 1 < argv.size())
            fallback = std::atol(argv[++i].c_str());
        else if (argv[i].size() > 1 && argv[i][0] == '-')
            fallback = std::labs(std::atol(argv[i].c_str() + (argv[i][1] == 'n' ? 2 : 1)));
        else
            files.push_back(argv[i]);
    }
    return std::labs(fallback);
}

// tail -n +1: all of it.
bool counts_from_start(const Words& argv) {
    for (std::size_t i = 1; i < argv.size(); ++i)
        if (argv[0] == "tail" &&
            (argv[i].substr(0, 3) == "-n+" || (argv[i - 1] == "-n" && argv[i][0] == '+')))
            return true;
    return false;
}

// Looks for more once a second, for ever. Inside of a pipeline, what is there now has to do.
void follow(Machine& machine, const Words& argv, Streams& streams) {
    Words plain, files;
    for (const std::string& word : argv)
        if (word != "-f" && word != "-F" && word != "--follow") plain.push_back(word == "-fn" ? "-n" : word);
    const auto count = static_cast<std::size_t>(count_option(plain, 10, files));
    const std::string path = files.empty() ? "/dev/null" : path_of(machine, files[0]);
    const std::string* text = machine.files->peek(path);
    const std::size_t size = text == nullptr ? 0 : text->size();
    const bool waits =
        std::find(argv.begin(), argv.end(), "-F") != argv.end();  // for a file that is not there yet
    if (text == nullptr && path != "/dev/null" && !waits && !machine.followed) {
        streams.err += "tail: can't open '" + files[0] + "': No such file or directory\n";
        machine.status = 1;
        return;
    }
    if (!machine.followed && text != nullptr) {
        const auto lines = lines_of(*text);
        std::size_t first = lines.size() < count ? 0 : lines.size() - count;
        if (counts_from_start(plain)) first = std::min(count == 0 ? 0 : count - 1, lines.size());
        for (std::size_t i = first; i < lines.size(); ++i) streams.out += lines[i] + "\n";
    } else if (text != nullptr && *machine.followed != size) {
        streams.out +=
            *machine.followed < size ? text->substr(*machine.followed) : *text;  // or a new file of this name
    }
    if (machine.depth > 0 || path == "/dev/null") {
        machine.endless = true;
        return;
    }
    machine.followed = size;
    machine.time += std::chrono::seconds(1);
}

}  // namespace

void head_or_tail(Machine& machine, const Words& argv, Streams& streams) {
    Words files;
    if (argv[0] == "tail" && std::any_of(argv.begin(), argv.end(), [](const std::string& word) {
            return word == "-f" || word == "-F" || word == "-fn" || word == "--follow";
        }))
        return follow(machine, argv, streams);
    const auto count = static_cast<std::size_t>(count_option(argv, 10, files));
    const bool from_start = counts_from_start(argv);
    if (argv[0] == "head" && files.empty() && streams.input->open) {
        // It needs no more than its lines, and leaves the rest.
        std::string& text = streams.input->text;
        std::size_t end = 0, seen = 0;
        while (seen < count && text.find('\n', end) != std::string::npos) end = text.find('\n', end) + 1, ++seen;
        machine.wants_input = seen < count;
        if (machine.wants_input) return;
        streams.out += text.substr(0, end);
        text.erase(0, end);
        return;
    }
    const auto lines = lines_of(input_of(machine, files, streams, argv[0]));
    std::size_t first = argv[0] == "head" || lines.size() < count ? 0 : lines.size() - count;
    if (from_start) first = std::min(count == 0 ? 0 : count - 1, lines.size());
    for (std::size_t i = first; i < (from_start ? lines.size() : std::min(lines.size(), first + count)); ++i)
        streams.out += lines[i] + "\n";
}

void search(Machine& machine, const Words& argv, Streams& streams) {
    bool inverted = false, quiet = false, counting = false, any_case = false;
    Words rest;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        if (argv[i].size() > 1 && argv[i][0] == '-' && rest.empty()) {
            inverted = inverted || argv[i].find('v') != std::string::npos;
            quiet = quiet || argv[i].find('q') != std::string::npos;
            counting = counting || argv[i].find('c') != std::string::npos;
            any_case = any_case || argv[i].find('i') != std::string::npos;
        } else {
            rest.push_back(argv[i]);
        }
    }
    if (rest.empty()) return;
    std::string pattern = rest[0];
    rest.erase(rest.begin());
    const auto lower = [&](std::string text) {
        if (any_case)
            for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        return text;
    };
    const bool at_start = !pattern.empty() && pattern[0] == '^',
               at_end = !pattern.empty() && pattern.back() == '$';
    if (at_start) pattern.erase(0, 1);
    if (at_end && !pattern.empty()) pattern.pop_back();
    // ".*" and "." are the parts of regular expressions that scripts in containers use.
    std::string glob = at_start ? "" : "*";
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] == '.' && i + 1 < pattern.size() && pattern[i + 1] == '*')
            glob += '*', ++i;
        else if (pattern[i] == '.')
            glob += '?';
        else if (pattern[i] == '\\' && i + 1 < pattern.size())
            glob += pattern[++i];
        else
            glob += pattern[i];
    }
    if (!at_end) glob += '*';
    int found = 0;
    const bool found_before = streams.resumed && machine.status == 0;
    const bool by_line = rest.empty() && !counting;
    const std::string text = by_line ? lines_so_far(machine, streams) : input_of(machine, rest, streams, "grep");
    for (const std::string& line : lines_of(text)) {
        if (glob_match(lower(glob), lower(line)) == inverted) continue;
        ++found;
        if (!quiet && !counting) streams.out += line + "\n";
    }
    if (counting) streams.out += std::to_string(found) + "\n";
    machine.status = found > 0 || found_before ? 0 : 1;
    if (quiet && found > 0) machine.wants_input = false;  // it has seen enough
}

void word_count(Machine& machine, const Words& argv, Streams& streams) {
    Words files;
    std::string options = options_of(argv, files);
    const std::string text = input_of(machine, files, streams, "wc");
    std::size_t words = 0;
    bool inside = false;
    for (const unsigned char c : text) {
        if (!std::isspace(c) && !inside) ++words;
        inside = !std::isspace(c);
    }
    if (options.empty()) options = "lwc";
    std::string line;
    for (const char option : options)
        line += (line.empty() ? "" : " ") +
                std::to_string(option == 'l'
                                   ? static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'))
                               : option == 'w' ? words
                                               : text.size());
    streams.out += line + (files.empty() ? "" : " " + files[0]) + "\n";
}

void sort_lines(Machine& machine, const Words& argv, Streams& streams) {
    Words files;
    const std::string options = options_of(argv, files);
    auto lines = lines_of(input_of(machine, files, streams, argv[0]));
    if (argv[0] == "sort") {
        const bool numeric = options.find('n') != std::string::npos;
        std::stable_sort(lines.begin(), lines.end(), [&](const std::string& a, const std::string& b) {
            return numeric ? std::atof(a.c_str()) < std::atof(b.c_str()) : a < b;
        });
        if (options.find('r') != std::string::npos) std::reverse(lines.begin(), lines.end());
    }
    if (argv[0] == "uniq" || options.find('u') != std::string::npos)
        lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
    for (const std::string& line : lines) streams.out += line + "\n";
}

void tee(Machine& machine, const Words& argv, Streams& streams) {
    const std::string text = lines_so_far(machine, streams);
    if (machine.wants_input && !streams.written_early) return;
    streams.out += text;
    const bool append = streams.resumed || std::find(argv.begin(), argv.end(), "-a") != argv.end();
    for (std::size_t i = 1; i < argv.size(); ++i)
        if (argv[i][0] != '-') machine.files->write(path_of(machine, argv[i]), text, append);
}

void sequence(Machine&, const Words& argv, Streams& streams) {
    const long from = argv.size() > 2 ? std::atol(argv[1].c_str()) : 1;
    const long step = argv.size() > 3 ? std::atol(argv[2].c_str()) : 1;
    const long to = argv.size() > 1 ? std::atol(argv.back().c_str()) : 0;
    if (step == 0) return;
    for (long i = from; (step > 0 ? i <= to : i >= to) && streams.out.size() < output_bytes_max; i += step)
        streams.out += std::to_string(i) + "\n";
}

void reverse_lines(Machine& machine, const Words& argv, Streams& streams) {
    for (std::string line :
         lines_of(input_of(machine, Words(argv.begin() + 1, argv.end()), streams, "rev"))) {
        std::reverse(line.begin(), line.end());
        streams.out += line + "\n";
    }
}

void base64_text(Machine& machine, const Words& argv, Streams& streams) {
    bool decodes = false;
    Words files;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        if (argv[i] == "-d" || argv[i] == "-D" || argv[i] == "--decode")
            decodes = true;
        else if (argv[i] == "-w" && i + 1 < argv.size())
            ++i;
        else if (argv[i].empty() || argv[i][0] != '-')
            files.push_back(argv[i]);
    }
    std::string text = input_of(machine, files, streams, "base64");
    if (!decodes) {
        streams.out += api::base64_encode(text) + "\n";
        return;
    }
    text.erase(std::remove(text.begin(), text.end(), '\n'), text.end());
    std::string bytes;
    if (api::base64_decode(text, bytes)) {
        streams.out += bytes;
    } else {
        streams.err += "base64: truncated input\n";
        machine.status = 1;
    }
}

void expression(Machine& machine, const Words& argv, Streams& streams) {
    std::string text;
    for (std::size_t i = 1; i < argv.size(); ++i) text += " " + argv[i];
    const std::int64_t value = arithmetic(machine, text);
    streams.out += std::to_string(value) + "\n";
    machine.status = value == 0 ? 1 : 0;
}

}  // namespace kubemu::controllers::kubelet::shell
