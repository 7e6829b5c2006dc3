// Commands of simulated containers that speak of the container itself: its processes, its user, its system.
#include <algorithm>

#include "controllers/kubelet/shell_commands.h"

namespace kubemu::controllers::kubelet::shell {
namespace {

std::string joined(const Words& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(text.size(), width), ' ');
    return text;
}

}  // namespace

// As busybox prints it.
void processes(Machine& machine, const Words& argv, Streams& streams) {
    const std::string user = padded(machine.user, 8);
    const auto row = [&](const std::string& id, const std::string& command) {
        return std::string(5 - std::min<std::size_t>(id.size(), 5), ' ') + id + " " + user + "  0:00 " + command + "\n";
    };
    streams.out += "  PID USER     TIME  COMMAND\n";
    if (!machine.main_argv.empty()) streams.out += row("1", joined(machine.main_argv));
    streams.out += row("7", joined(argv));
}

void identity(Machine& machine, const Words& argv, Streams& streams) {
    const std::string id = std::to_string(machine.user_id);
    const bool named = std::find(argv.begin(), argv.end(), "-un") != argv.end();
    if (named) {
        streams.out += machine.user + "\n";
    } else if (argv.size() > 1) {
        streams.out += (argv[1] == "-u" || machine.user_id == 0 ? id : std::string("0")) + "\n";
    } else {
        const std::string user = machine.user_id == 0 ? "(root)" : "";
        streams.out += "uid=" + id + user + " gid=0(root) groups=0(root)\n";
    }
}

void who_am_i(Machine& machine, const Words&, Streams& streams) {
    if (machine.user_id == 0) {
        streams.out += "root\n";
        return;
    }
    streams.err += "whoami: unknown uid " + std::to_string(machine.user_id) + "\n";
    machine.status = 1;
}

void system_name(Machine& machine, const Words& argv, Streams& streams) {
    const std::string option = argv.size() > 1 ? argv[1] : "-s";
    std::string text;
    const auto add = [&](char letter, const std::string& value) {
        if (option.find(letter) != std::string::npos || option == "-a") text += (text.empty() ? "" : " ") + value;
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
        if (is_command(argv[i])) streams.out += "/bin/" + argv[i] + "\n";
        else machine.status = 1;
    }
}

void base_name(Machine&, const Words& argv, Streams& streams) {
    std::string path = argv.size() > 1 ? argv[1] : "";
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    std::string name = path == "/" ? path : path.substr(path.rfind('/') == path.npos ? 0 : path.rfind('/') + 1);
    if (argv.size() > 2 && name.size() > argv[2].size() && name.ends_with(argv[2])) name.resize(name.size() - argv[2].size());
    streams.out += name + "\n";
}

void directory_name(Machine&, const Words& argv, Streams& streams) {
    std::string path = argv.size() > 1 ? argv[1] : "";
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    const std::size_t slash = path.rfind('/');
    streams.out += (slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash)) + "\n";
}

}  // namespace kubemu::controllers::kubelet::shell
