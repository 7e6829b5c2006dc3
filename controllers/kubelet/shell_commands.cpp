// The commands that simulated containers know, each a few lines over files, variables and time, and their
// names.
#include "controllers/kubelet/shell_commands.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <ctime>
#include <functional>
#include <map>

#include "controllers/kubelet/shell_pattern.h"

namespace kubemu::controllers::kubelet::shell {
std::string path_of(const Machine& machine, const std::string& path) {
    return !path.empty() && path[0] == '/' ? path : machine.directory + "/" + path;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

std::string all_input(Machine& machine, Streams& streams) {
    machine.wants_input = streams.input->open;
    return machine.wants_input ? std::string() : std::exchange(streams.input->text, {});
}

std::string lines_so_far(Machine& machine, Streams& streams) {
    if (!streams.live || !streams.input->open) return all_input(machine, streams);
    std::string& text = streams.input->text;
    const std::size_t end = text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1;
    std::string lines = text.substr(0, end);
    text.erase(0, end);
    machine.wants_input = streams.written_early = true;
    return lines;
}

// Standard input, or the files named.
std::string input_of(Machine& machine, const Words& files, Streams& streams, std::string_view name) {
    if (files.empty() || (files.size() == 1 && files[0] == "-")) return all_input(machine, streams);
    std::string text;
    for (const std::string& file : files) {
        if (file == "/dev/null") continue;
        const auto content = machine.files->read(path_of(machine, file));
        if (content) {
            text += *content;
        } else {
            const bool directory = machine.files->is_directory(path_of(machine, file));
            streams.err +=
                std::string(name) + (directory ? ": read error: Is a directory\n"
                                               : ": can't open '" + file + "': No such file or directory\n");
            machine.status = 1;
        }
    }
    return text;
}

namespace {

using Command = void (*)(Machine&, const Words&, Streams&);

std::string unescape(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 >= text.size()) {
            result += text[i];
            continue;
        }
        const char c = text[++i];
        if (c == 'n')
            result += '\n';
        else if (c == 't')
            result += '\t';
        else if (c == 'r')
            result += '\r';
        else if (c == '\\')
            result += '\\';
        else if (c == '0' || c == 'x') {
            const int base = c == 'x' ? 16 : 8;
            int value = 0, digits = 0;
            while (digits < (base == 16 ? 2 : 3) && i + 1 < text.size() &&
                   std::isxdigit(static_cast<unsigned char>(text[i + 1]))) {
                value = value * base + (std::isdigit(static_cast<unsigned char>(text[i + 1]))
                                            ? text[i + 1] - '0'
                                            : std::tolower(text[i + 1]) - 'a' + 10);
                ++i, ++digits;
            }
            result += static_cast<char>(value);
        } else {
            result += '\\';
            result += c;
        }
    }
    return result;
}

void echo(Machine& machine, const Words& argv, Streams& streams) {
    const bool bash = !machine.arguments.empty() && machine.arguments[0].find("bash") != std::string::npos;
    bool newline = true, escapes = !bash && machine.identity != nullptr && machine.identity->has_dash();
    std::size_t first = 1;
    for (; first < argv.size() && argv[first].size() > 1 && argv[first][0] == '-' &&
           argv[first].find_first_not_of("neE", 1) == std::string::npos;
         ++first) {
        newline = newline && argv[first].find('n') == std::string::npos;
        escapes = escapes || argv[first].find('e') != std::string::npos;
    }
    for (std::size_t i = first; i < argv.size(); ++i)
        streams.out += (i > first ? " " : "") + (escapes ? unescape(argv[i]) : argv[i]);
    if (newline) streams.out += '\n';
}

void print_formatted(Machine&, const Words& argv, Streams& streams) {
    if (argv.size() < 2) return;
    std::size_t next = 2;
    const std::string format = unescape(argv[1]);
    do {
        for (std::size_t i = 0; i < format.size(); ++i) {
            if (format[i] != '%' || i + 1 >= format.size()) {
                streams.out += format[i];
                continue;
            }
            std::string spec = "%";
            while (++i < format.size() &&
                   std::string_view("-+ 0123456789.").find(format[i]) != std::string_view::npos &&
                   spec.size() < 8)
                spec += format[i];
            const char kind = i < format.size() ? format[i] : '%';
            if (kind == '%') {
                streams.out += '%';
                continue;
            }
            const std::string argument = next < argv.size() ? argv[next] : "";
            ++next;
            if (kind == 's' || kind == 'b') {
                const bool left = spec.find('-') != std::string::npos;
                const auto digits = spec.find_first_of("123456789");
                const auto width =
                    digits == std::string::npos
                        ? 0
                        : static_cast<std::size_t>(std::min(1000, std::atoi(spec.c_str() + digits)));
                const std::string padding(argument.size() < width ? width - argument.size() : 0, ' ');
                streams.out +=
                    left ? argument + padding : padding + (kind == 'b' ? unescape(argument) : argument);
            } else if (kind == 'd' || kind == 'i') {
                char text[1100];
                const auto digits = spec.find_first_of("123456789");
                if (digits != std::string::npos && std::atoi(spec.c_str() + digits) > 1000) continue;
                std::snprintf(text, sizeof text, (spec + "lld").c_str(), std::atoll(argument.c_str()));
                streams.out += text;
            } else {
                streams.out += argument;
            }
        }
    } while (next < argv.size() && next > 2 && streams.out.size() < output_bytes_max);
}

void date(Machine& machine, const Words& argv, Streams& streams) {
    std::string format = "%a %b %e %H:%M:%S UTC %Y";
    for (std::size_t i = 1; i < argv.size(); ++i) {
        if (argv[i].size() > 1 && argv[i][0] == '+') format = argv[i].substr(1);
        if (argv[i] == "-R") format = "%a, %d %b %Y %H:%M:%S +0000";
        if (argv[i].substr(0, 2) == "-I") format = argv[i] == "-I" ? "%Y-%m-%d" : "%Y-%m-%dT%H:%M:%S+00:00";
    }
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(machine.time.time_since_epoch()).count();
    const auto replace = [&](std::string_view what, const std::string& with) {
        for (auto at = format.find(what); at != std::string::npos; at = format.find(what, at + with.size()))
            format.replace(at, what.size(), with);
    };
    replace("%s", std::to_string(seconds));
    char nano[16];
    std::snprintf(nano, sizeof nano, "%09d",
                  static_cast<int>(machine.time.time_since_epoch().count() % 1'000'000 * 1000));
    replace("%N", nano);
    replace("%Z", "UTC");
    const std::time_t time = seconds;
    std::tm parts{};
    gmtime_r(&time, &parts);
    char text[512];
    const std::size_t size =
        format.size() < 200 ? std::strftime(text, sizeof text, format.c_str(), &parts) : 0;
    streams.out += std::string(text, size) + "\n";
}

void sleep_command(Machine& machine, const Words& argv, Streams&) {
    double seconds = 0;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        if (argv[i] == "infinity" || argv[i] == "inf") {
            machine.endless = true;
            return;
        }
        const double value = std::atof(argv[i].c_str());
        const char unit = argv[i].empty() ? 's' : argv[i].back();
        seconds += value * (unit == 'm' ? 60 : unit == 'h' ? 3600 : unit == 'd' ? 86400 : 1);
    }
    if (seconds > 1e9)
        machine.endless = true;
    else if (seconds > 0)
        machine.time += Duration(static_cast<Duration::rep>(seconds * 1e6));
}

void leave(Machine& machine, const Words& argv, Streams&) {
    if (argv.size() > 1) machine.status = std::atoi(argv[1].c_str()) & 255;
    machine.exited = true;
}

void succeed(Machine& machine, const Words&, Streams&) {
    machine.status = 0;
}
void refuse(Machine& machine, const Words&, Streams&) {
    machine.status = 1;
}

void print_environment(Machine& machine, const Words& argv, Streams& streams) {
    if (argv.size() > 1 && argv[0] == "printenv") {
        for (std::size_t i = 1; i < argv.size(); ++i) {
            const auto found = machine.variables.find(argv[i]);
            if (found == machine.variables.end())
                machine.status = 1;
            else
                streams.out += found->second + "\n";
        }
        return;
    }
    for (const auto& [name, value] : machine.variables)
        if (name.find('[') == std::string::npos) streams.out += name + "=" + value + "\n";
}

void concatenate(Machine& machine, const Words& argv, Streams& streams) {
    Words files;
    for (std::size_t i = 1; i < argv.size(); ++i)
        if (argv[i] == "-" || argv[i].empty() || argv[i][0] != '-') files.push_back(argv[i]);
    if (files.empty() && streams.live) {
        // What is typed comes back line by line.
        streams.out += std::exchange(streams.input->text, {});
        machine.wants_input = streams.written_early = streams.input->open;
        return;
    }
    streams.out += input_of(machine, files, streams, "cat");
}

// [[ text =~ pattern ]]; what matched is in BASH_REMATCH.
bool matches_pattern(Machine& machine, const std::string& text, const std::string& pattern) {
    const auto match = Pattern(pattern).first(text);
    if (!match) return false;
    for (std::size_t i = 0; i < match->groups.size(); ++i)
        machine.variables["BASH_REMATCH" + (i == 0 ? std::string() : "[" + std::to_string(i) + "]")] = match->groups[i];
    return true;
}

bool test_words(Machine& machine, const Words& words, std::size_t from, std::size_t to) {
    for (const char* joint : {"-o", "-a"}) {
        for (std::size_t i = from + 1; i + 1 < to; ++i) {
            if (words[i] != joint) continue;
            const bool left = test_words(machine, words, from, i),
                       right = test_words(machine, words, i + 1, to);
            return joint[1] == 'o' ? left || right : left && right;
        }
    }
    const std::size_t count = to - from;
    if (count == 0) return false;
    if (words[from] == "!") return !test_words(machine, words, from + 1, to);
    if (count == 1) return !words[from].empty();
    if (count == 2) {
        const std::string &op = words[from], &value = words[from + 1];
        if (op == "-z") return value.empty();
        if (op == "-n") return !value.empty();
        const std::string path = path_of(machine, value);
        const auto content = machine.files->read(path);
        const bool directory = machine.files->is_directory(path);
        if (op == "-d") return directory;
        if (op == "-f") return content.has_value();
        if (op == "-s") return content && !content->empty();
        return content.has_value() || directory;  // -e -r -w -x
    }
    const std::string &left = words[from], &op = words[from + 1], &right = words[from + 2];
    if (op == "=~") return matches_pattern(machine, left, right);
    if (op == "=" || op == "==") return words.front() == "[[" ? glob_match(right, left) : left == right;
    if (op == "!=") return words.front() == "[[" ? !glob_match(right, left) : left != right;
    const long long a = std::atoll(left.c_str()), b = std::atoll(right.c_str());
    if (op == "-eq") return a == b;
    if (op == "-ne") return a != b;
    if (op == "-lt") return a < b;
    if (op == "-le") return a <= b;
    if (op == "-gt") return a > b;
    if (op == "-ge") return a >= b;
    return false;
}

void test(Machine& machine, const Words& argv, Streams&) {
    std::size_t end = argv.size();
    if ((argv[0] == "[" || argv[0] == "[[") && end > 1) --end;
    machine.status = test_words(machine, argv, 1, end) ? 0 : 1;
}

void export_variables(Machine& machine, const Words& argv, Streams& streams) {
    if (argv.size() == 1 && argv[0] == "export") {
        for (const auto& [name, value] : machine.variables)
            if (name.find('[') == std::string::npos) streams.out += "declare -x " + name + "=\"" + value + "\"\n";
    }
    for (std::size_t i = 1; i < argv.size(); ++i)
        if (const auto equals = argv[i].find('='); equals != std::string::npos)
            machine.variables[argv[i].substr(0, equals)] = argv[i].substr(equals + 1);
}

void unset(Machine& machine, const Words& argv, Streams&) {
    for (std::size_t i = 1; i < argv.size(); ++i) machine.variables.erase(argv[i]);
}

// The fields of a line to the variables that `read` names; the last takes the rest.
void assign_fields(Machine& machine, const Words& argv, std::string_view line) {
    Words names;
    for (std::size_t i = 1; i < argv.size(); ++i)
        if (!argv[i].empty() && argv[i][0] != '-') names.push_back(argv[i]);
    if (names.empty()) names.push_back("REPLY");
    const auto skip_blanks = [&line] {
        while (!line.empty() && (line[0] == ' ' || line[0] == '\t')) line.remove_prefix(1);
    };
    for (std::size_t i = 0; i < names.size(); ++i) {
        skip_blanks();
        const std::size_t end = i + 1 == names.size() ? line.npos : line.find_first_of(" \t");
        std::string_view field = line.substr(0, end);
        while (!field.empty() && (field.back() == ' ' || field.back() == '\t')) field.remove_suffix(1);
        machine.variables[names[i]] = field;
        line.remove_prefix(std::min(line.size(), end));
    }
}

void read_line(Machine& machine, const Words& argv, Streams& streams) {
    Input& input = *streams.input;
    const std::size_t end = input.text.find('\n');
    if (end == std::string::npos && input.open) {
        machine.wants_input = true;
        return;
    }
    if (end == std::string::npos) machine.status = 1;
    const std::string line = input.text.substr(0, end);
    input.text.erase(0, end == std::string::npos ? end : end + 1);
    assign_fields(machine, argv, line);
}

void run_rest(Machine& machine, const Words& argv, Streams& streams) {
    std::size_t first = 1;
    if (argv[0] == "timeout") first = 2;
    if (argv[0] == "tini" || argv[0] == "dumb-init") {
        machine.passes_signals = true;
        while (first < argv.size() && argv[first].starts_with('-')) ++first;
    }
    while (argv[0] == "env" && first < argv.size() && argv[first].find('=') != std::string::npos)
        export_variables(machine, {"export", argv[first++]}, streams);
    if (first >= argv.size()) {
        if (argv[0] == "env") print_environment(machine, {"env"}, streams);
        return;
    }
    if (++machine.depth > 20) return;
    --machine.depth;
    if (!run_command(machine, Words(argv.begin() + static_cast<std::ptrdiff_t>(first), argv.end()),
                     streams))
        run_unknown(machine, argv[first]);
    if (argv[0] != "exec") return;
    machine.replaced = true;
    machine.exited = !machine.endless;
}

void set_options(Machine&, const Words&, Streams&) {}

// "SIGTERM", "15" and "term" are TERM.
std::string signal_name(std::string name) {
    static constexpr std::pair<std::string_view, std::string_view> numbers[] = {
        {"0", "EXIT"}, {"1", "HUP"}, {"2", "INT"}, {"3", "QUIT"}, {"6", "ABRT"}, {"9", "KILL"}, {"10", "USR1"}, {"12", "USR2"}, {"15", "TERM"}};
    for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    if (name.starts_with("SIG")) name.erase(0, 3);
    for (const auto& [number, meaning] : numbers)
        if (name == number) return std::string(meaning);
    return name;
}

void trap(Machine& machine, const Words& argv, Streams& streams) {
    std::size_t first = argv.size() > 1 && argv[1] == "--" ? 2 : 1;
    if (first >= argv.size() || argv[first] == "-p") {
        for (const auto& [name, action] : machine.traps) streams.out += "trap -- '" + action + "' " + name + "\n";
        return;
    }
    // Without an action the signals are reset, as with "-".
    const bool has_action = first + 1 < argv.size();
    const std::string action = has_action ? argv[first++] : "-";
    for (; first < argv.size(); ++first) {
        if (action == "-") machine.traps.erase(signal_name(argv[first]));
        else machine.traps[signal_name(argv[first])] = action;
    }
}

// For the newest job when any is named, else for all.
void wait_for_jobs(Machine& machine, const Words& argv, Streams&) {
    const std::optional<Time> end = argv.size() > 1 ? machine.newest_job : machine.all_jobs;
    machine.waiting = true;
    if (end) machine.time = std::max(machine.time, *end);
    else machine.endless = true;
}

void set_variables(Machine& machine, const Words& argv, Streams& streams) {
    if (argv.size() == 1) print_environment(machine, {"env"}, streams);
}

void nested_shell(Machine& machine, const Words& argv, Streams& streams) {
    for (std::size_t i = 1; i < argv.size(); ++i) {
        if (argv[i].size() > 1 && argv[i][0] == '-' && argv[i].find('c') != std::string::npos &&
            i + 1 < argv.size()) {
            streams.out += Interpreter::capture(machine, parse(argv[i + 1]), *streams.input, true, streams.err);
            return;
        }
        if (argv[i].empty() || argv[i][0] != '-') {
            if (const auto script = machine.files->read(path_of(machine, argv[i])))
                streams.out += Interpreter::capture(machine, parse(*script), *streams.input, true, streams.err);
            return;
        }
    }
}

void evaluate(Machine& machine, const Words& argv, Streams& streams) {
    std::string script;
    for (std::size_t i = 1; i < argv.size(); ++i) script += argv[i] + " ";
    streams.out += Interpreter::capture(machine, parse(script), *streams.input, false, streams.err);
}

const std::map<std::string, Command, std::less<>>& commands() {
    static const std::map<std::string, Command, std::less<>> table = {
        {"echo", echo},
        {"printf", print_formatted},
        {"date", date},
        {"sleep", sleep_command},
        {"usleep", succeed},
        {"exit", leave},
        {"return", leave},
        {"true", succeed},
        {":", succeed},
        {"false", refuse},
        {"env", run_rest},
        {"printenv", print_environment},
        {"cat", concatenate},
        {"hostname", host_name},
        {"test", test},
        {"[", test},
        {"[[", test},
        {"touch", touch},
        {"mkdir", make_directories},
        {"rm", remove},
        {"cp", copy},
        {"mv", copy},
        {"ls", list},
        {"cd", change_directory},
        {"pwd", print_directory},
        {"export", export_variables},
        {"local", export_variables},
        {"unset", unset},
        {"read", read_line},
        {"wget", fetch},
        {"curl", fetch},
        {"nslookup", name_look_up},
        {"nc", net_cat},
        {"head", head_or_tail},
        {"tail", head_or_tail},
        {"grep", search},
        {"egrep", search},
        {"wc", word_count},
        {"sort", sort_lines},
        {"uniq", sort_lines},
        {"tee", tee},
        {"tar", tape_archive},
        {"ps", processes},
        {"id", identity},
        {"whoami", who_am_i},
        {"uname", system_name},
        {"which", which},
        {"basename", base_name},
        {"dirname", directory_name},
        {"seq", sequence},
        {"exec", run_rest},
        {"nohup", run_rest},
        {"time", run_rest},
        {"timeout", run_rest},
        {"tini", run_rest},
        {"dumb-init", run_rest},
        {"command", run_rest},
        {"set", set_variables},
        {"trap", trap},
        {"wait", wait_for_jobs},
        {"sync", set_options},
        {"umask", set_options},
        {"ulimit", set_options},
        {"chmod", set_options},
        {"chown", set_options},
        {"ln", set_options},
        {"kill", send_signal},
        {"pkill", send_signal},
        {"killall", send_signal},
        {"readlink", read_link},
        {"realpath", read_link},
        {"mount", mounts},
        {"df", disk_free},
        {"find", find_files},
        {"dd", copy_blocks},
        {"cut", cut_columns},
        {"tr", translate},
        {"rev", reverse_lines},
        {"sed", edit_lines},
        {"base64", base64_text},
        {"expr", expression},
        {"ping", ping},
        {"ip", host_addresses},
        {"ifconfig", host_addresses},
        {"dig", name_look_up},
        {"host", name_look_up},
        {"getent", name_look_up},
        {"declare", export_variables},
        {"sh", nested_shell},
        {"bash", nested_shell},
        {"ash", nested_shell},
        {"eval", evaluate},
        {"perl", perl},
        {"python", python},
        {"python3", python},
        {"stress", toil},
        {"agnhost", agnhost},
        {"apt-get", quick},
        {"apk", quick},
        {"apt", quick},
        {"yum", quick},
        {"pip", quick},
        {"npm", quick},
        {"git", quick},
        {"nginx", nginx},
        {"redis-server", serve},
        {"httpd", serve},
        {"postgres", serve},
        {"mysqld", serve},
        {"httpd-foreground", serve},
        {"yes", toil},
    };
    return table;
}

}  // namespace

bool is_command(std::string_view name) {
    return commands().find(name) != commands().end();
}

bool run_command(Machine& machine, const std::vector<std::string>& argv, Streams& streams) {
    const std::string_view path = argv[0];
    const std::string_view name = path.substr(path.rfind('/') == path.npos ? 0 : path.rfind('/') + 1);
    if (machine.files != nullptr && name != path) {
        if (const auto script = machine.files->read(path)) {  // a script from a volume
            streams.out += Interpreter::capture(machine, parse(*script), *streams.input, true, streams.err);
            return true;
        }
    }
    const auto found = commands().find(name);
    if (found == commands().end()) return false;
    std::vector<std::string> plain = argv;
    plain[0] = name;
    found->second(machine, plain, streams);
    if (streams.out.size() > output_bytes_max) streams.out.resize(output_bytes_max);
    return true;
}

}  // namespace kubemu::controllers::kubelet::shell
