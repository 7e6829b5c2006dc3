// Commands of simulated containers that speak of the container itself: its processes, its user, its system.
#include <algorithm>
#include <cstdio>

#include "controllers/kubelet/shell_commands.h"

namespace kubemu::controllers::kubelet::shell {
namespace {

std::string joined(const Words& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

std::string before(const std::string& text, std::size_t width) {
    return std::string(text.size() < width ? width - text.size() : 0, ' ') + text;
}

std::string clock_text(Time time) {
    const auto minutes =
        std::chrono::duration_cast<std::chrono::minutes>(time.time_since_epoch()).count() % (24 * 60);
    char text[16];
    std::snprintf(text, sizeof text, "%02d:%02d", static_cast<int>(minutes / 60),
                  static_cast<int>(minutes % 60));
    return text;
}

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(text.size(), width), ' ');
    return text;
}

}  // namespace

// As the tools of the image print it: busybox knows no options, those of a distribution do.
void processes(Machine& machine, const Words& argv, Streams& streams) {
    std::vector<Identity::Task> tasks;
    if (machine.identity != nullptr) tasks = machine.identity->tasks;
    const std::string user = machine.identity != nullptr ? machine.identity->user_name() : "root";
    tasks.push_back({tasks.empty() ? 7 : tasks.back().id + 6, user, joined(argv)});
    const std::string options = argv.size() > 1 ? argv[1] : "";
    const bool plain = machine.identity == nullptr || machine.identity->is_busybox() || options.empty();
    const bool full = !plain && options.find('f') != std::string::npos,
               with_load = !plain && options.find('u') != std::string::npos;
    if (plain)
        streams.out += "  PID USER     TIME  COMMAND\n";
    else if (with_load)
        streams.out += "USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n";
    else if (full)
        streams.out += "UID          PID    PPID  C STIME TTY          TIME CMD\n";
    else
        streams.out += "    PID TTY      STAT   TIME COMMAND\n";
    const std::string start = clock_text(machine.time);
    for (const Identity::Task& task : tasks) {
        const std::string id = std::to_string(task.id), state = task.id == tasks.back().id ? "R"
                                                                : task.id == 1             ? "Ss"
                                                                                           : "S";
        if (plain) {
            streams.out += before(id, 5) + " " + padded(task.user, 8) + "  0:00 " + task.command + "\n";
        } else if (with_load) {
            streams.out += padded(task.user, 8) + " " + before(id, 7) + "  0.0  0.0   4336   764 ?        " +
                           padded(state, 4) + " " + start + "   0:00 " + task.command + "\n";
        } else if (full) {
            streams.out += padded(task.user, 8) + " " + before(id, 7) + " " +
                           before(task.id == 1 ? "0" : "1", 7) + "  0 " + start + " ?        00:00:00 " +
                           task.command + "\n";
        } else {
            streams.out += before(id, 7) + " ?        " + padded(state, 4) + "   0:00 " + task.command + "\n";
        }
    }
}

void identity(Machine& machine, const Words& argv, Streams& streams) {
    static const Identity root{};
    const Identity& self = machine.identity != nullptr ? *machine.identity : root;
    const auto named = [](int id) { return std::to_string(id) + (id == 0 ? "(root)" : ""); };
    std::vector<int> groups = self.groups;
    if (groups.empty()) groups = {self.group};
    std::string option;
    bool name = false;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        for (const char c : argv[i]) {
            if (c == 'n')
                name = true;
            else if (c == 'u' || c == 'g' || c == 'G')
                option = std::string(1, c);
        }
    }
    if (option == "u") {
        streams.out += (name ? self.user_name() : std::to_string(self.user)) + "\n";
    } else if (option == "g") {
        streams.out += (name && self.group == 0 ? "root" : std::to_string(self.group)) + "\n";
    } else if (option == "G") {
        for (std::size_t i = 0; i < groups.size(); ++i)
            streams.out += (i > 0 ? " " : "") +
                           (name && groups[i] == 0 ? std::string("root") : std::to_string(groups[i]));
        streams.out += "\n";
    } else {
        std::string list;
        for (const int group : groups) list += (list.empty() ? "" : ",") + named(group);
        streams.out += "uid=" + named(self.user) + " gid=" + named(self.group) + " groups=" + list + "\n";
    }
}

void who_am_i(Machine& machine, const Words&, Streams& streams) {
    const int user = machine.identity != nullptr ? machine.identity->user : 0;
    if (user == 0) {
        streams.out += "root\n";
        return;
    }
    streams.err += "whoami: unknown uid " + std::to_string(user) + "\n";
    machine.status = 1;
}

void host_name(Machine& machine, const Words& argv, Streams& streams) {
    const std::string option = argv.size() > 1 ? argv[1] : "";
    const Identity* self = machine.identity.get();
    const std::string domain = self != nullptr ? self->domain : "";
    std::string text = machine.host_name;
    if (option == "-i" || option == "-I" || option == "--ip-address")
        text = self != nullptr && !self->pod_ip.empty() ? self->pod_ip : "127.0.0.1";
    else if (option == "-d" || option == "--domain")
        text = domain;
    else if ((option == "-f" || option == "--fqdn") && !domain.empty())
        text += "." + domain;
    if (option == "-I") text += " ";
    streams.out += text + "\n";
}

// A signal to the container's first process, by number or by name, which ends when it is a server; other numbers are
// those of jobs.
void send_signal(Machine& machine, const Words& argv, Streams& streams) {
    bool ends = true;
    Words targets;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        const std::string& word = argv[i];
        if (word.size() < 2 || word[0] != '-') {
            targets.push_back(word);
            continue;
        }
        std::string signal = word == "-s" && i + 1 < argv.size() ? argv[++i] : word.substr(1);
        if (signal.substr(0, 3) == "SIG") signal.erase(0, 3);
        for (const std::string_view kind : {"TERM", "15", "QUIT", "3", "INT", "2", "9", "KILL"})
            if (signal == kind) signal = "end";
        ends = signal == "end";
    }
    for (const std::string& target : targets) {
        const bool by_name = argv[0] != "kill";
        bool found = false, first = false;
        for (const Identity::Task& task :
             machine.identity != nullptr ? machine.identity->tasks : std::vector<Identity::Task>()) {
            if (by_name ? task.command.find(target) == std::string::npos : std::to_string(task.id) != target)
                continue;
            found = true;
            first = first || (task.id == 1 && task.command != "/pause");
        }
        if (!found && !by_name) {
            machine.newest_job = machine.all_jobs = machine.time;  // a command that it has left in the background
        } else if (!found) {
            machine.status = 1;
            if (argv[0] == "killall") streams.err += target + ": no process found\n";
        } else if (first && ends && machine.stop != nullptr) {
            machine.stop->at = machine.time;
        }
    }
}

void read_link(Machine& machine, const Words& argv, Streams& streams) {
    const std::string path = argv.size() > 1 ? argv.back() : "";
    if (path.find("/ns/user") != std::string::npos && path.substr(0, 6) == "/proc/") {
        const bool own = machine.identity != nullptr && machine.identity->own_user_namespace;
        streams.out += own ? "user:[4026532587]\n" : "user:[4026531837]\n";
    } else if (argv.size() > 2 || argv[0] == "realpath") {
        streams.out += FileSystem::normalized(path_of(machine, path)) + "\n";
    } else {
        machine.status = 1;
    }
}

void mounts(Machine& machine, const Words&, Streams& streams) {
    for (const std::string& line : lines_of(machine.files->read("/proc/mounts").value_or(""))) {
        const std::size_t first = line.find(' '), second = line.find(' ', first + 1),
                          third = line.find(' ', second + 1);
        if (third == std::string::npos) continue;
        streams.out += line.substr(0, first) + " on" + line.substr(first, second - first) + " type" +
                       line.substr(second, third - second) + " (" +
                       line.substr(third + 1, line.find(' ', third + 1) - third - 1) + ")\n";
    }
}

void disk_free(Machine& machine, const Words& argv, Streams& streams) {
    const bool human = argv.size() > 1 && argv[1].find('h') != std::string::npos;
    const std::string sizes =
        human ? "100.0G     20.0G     80.0G  20% " : "104857600  20971520  83886080  20% ";
    streams.out += human ? "Filesystem                Size      Used Available Use% Mounted on\n"
                         : "Filesystem           1K-blocks      Used Available Use% Mounted on\n";
    streams.out += "overlay              " + sizes + "/\n";
    if (machine.identity == nullptr) return;
    for (const std::string& path : machine.identity->mount_points)
        streams.out += "/dev/vda1            " + sizes + path + "\n";
}

void system_name(Machine& machine, const Words& argv, Streams& streams) {
    const std::string option = argv.size() > 1 ? argv[1] : "-s";
    std::string text;
    const auto add = [&](char letter, const std::string& value) {
        if (option.find(letter) != std::string::npos || option == "-a")
            text += (text.empty() ? "" : " ") + value;
    };
    add('s', "Linux");
    add('n', machine.host_name);
    add('r', "6.1.0");
    add('v', "#1 SMP");
    add('m', "x86_64");
    if (option == "-a") text += " GNU/Linux";
    streams.out += text + "\n";
}

void which(Machine& machine, const Words& argv, Streams& streams) {
    for (std::size_t i = 1; i < argv.size(); ++i) {
        if (argv[i].empty() || argv[i][0] == '-') continue;
        if (is_command(argv[i]))
            streams.out += "/bin/" + argv[i] + "\n";
        else
            machine.status = 1;
    }
}

void base_name(Machine&, const Words& argv, Streams& streams) {
    std::string path = argv.size() > 1 ? argv[1] : "";
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    std::string name =
        path == "/" ? path : path.substr(path.rfind('/') == path.npos ? 0 : path.rfind('/') + 1);
    if (argv.size() > 2 && name.size() > argv[2].size() && name.ends_with(argv[2]))
        name.resize(name.size() - argv[2].size());
    streams.out += name + "\n";
}

void directory_name(Machine&, const Words& argv, Streams& streams) {
    std::string path = argv.size() > 1 ? argv[1] : "";
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    const std::size_t slash = path.rfind('/');
    streams.out += (slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash)) + "\n";
}

}  // namespace kubemu::controllers::kubelet::shell
