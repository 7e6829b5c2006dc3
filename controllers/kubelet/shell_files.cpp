// Commands about files and folders: touch, mkdir, rm, cp, ls, cd, pwd.
#include <algorithm>
#include <map>

#include "controllers/kubelet/shell_commands.h"

namespace kubemu::controllers::kubelet::shell {

void touch(Machine& machine, const Words& argv, Streams& streams) {
    for (std::size_t i = 1; i < argv.size(); ++i) {
        if (argv[i].empty() || argv[i][0] == '-') continue;
        if (machine.files->write(path_of(machine, argv[i]), "", true)) continue;
        streams.err += "touch: " + argv[i] + ": Read-only file system\n";
        machine.status = 1;
    }
}

void make_directories(Machine& machine, const Words& argv, Streams&) {
    for (std::size_t i = 1; i < argv.size(); ++i)
        if (!argv[i].empty() && argv[i][0] != '-') machine.files->make_directory(path_of(machine, argv[i]));
}

void remove(Machine& machine, const Words& argv, Streams& streams) {
    bool force = false;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        if (!argv[i].empty() && argv[i][0] == '-')
            force = force || argv[i].find('f') != std::string::npos;
        else if (!machine.files->remove(path_of(machine, argv[i])) && !force) {
            streams.err += "rm: can't remove '" + argv[i] + "': No such file or directory\n";
            machine.status = 1;
        }
    }
}

void copy(Machine& machine, const Words& argv, Streams& streams) {
    Words paths;
    for (std::size_t i = 1; i < argv.size(); ++i)
        if (!argv[i].empty() && argv[i][0] != '-') paths.push_back(argv[i]);
    if (paths.size() < 2) return;
    const std::string target = path_of(machine, paths.back());
    for (std::size_t i = 0; i + 1 < paths.size(); ++i) {
        const auto content = machine.files->read(path_of(machine, paths[i]));
        if (!content) {
            streams.err += argv[0] + ": can't stat '" + paths[i] + "': No such file or directory\n";
            machine.status = 1;
            continue;
        }
        const std::string name =
            paths[i].substr(paths[i].rfind('/') == std::string::npos ? 0 : paths[i].rfind('/') + 1);
        machine.files->write(machine.files->is_directory(target) ? target + "/" + name : target, *content,
                             false);
        if (argv[0] == "mv") machine.files->remove(path_of(machine, paths[i]));
    }
}

void list(Machine& machine, const Words& argv, Streams& streams) {
    Words paths;
    for (std::size_t i = 1; i < argv.size(); ++i)
        if (!argv[i].empty() && argv[i][0] != '-') paths.push_back(argv[i]);
    if (paths.empty()) paths.push_back(".");
    for (const std::string& path : paths) {
        if (machine.files->is_directory(path_of(machine, path))) {
            for (const std::string& name : machine.files->list(path_of(machine, path)))
                streams.out += name + "\n";
        } else if (machine.files->read(path_of(machine, path))) {
            streams.out += path + "\n";
        } else {
            streams.err += "ls: " + path + ": No such file or directory\n";
            machine.status = 1;
        }
    }
}

void change_directory(Machine& machine, const Words& argv, Streams& streams) {
    const std::string path = path_of(machine, argv.size() > 1 ? argv[1] : "/root");
    if (machine.files->is_directory(path)) {
        machine.directory = path;
    } else {
        streams.err += "sh: cd: can't cd to " + argv.back() + ": No such file or directory\n";
        machine.status = 2;
    }
}

void print_directory(Machine& machine, const Words&, Streams& streams) {
    streams.out += machine.directory + "\n";
}

}  // namespace kubemu::controllers::kubelet::shell
