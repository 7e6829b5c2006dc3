// Commands about files and folders: touch, mkdir, rm, cp, ls, find, dd, cd, pwd.
#include <algorithm>
#include <ctime>
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

namespace {

constexpr int depth_max = 12;

struct ListOptions {
    bool lengthy = false, all = false, dots = false, itself = false, recursive = false;
};

// What `ls -l` says of a file: owners and modes as the kubelet gives them to volumes.
struct Entry {
    std::string name, target;  // target: of a link
    bool directory = false;
    std::size_t bytes = 0;
    std::string mode, owner = "root", group = "root";
};

std::string group_name(int id) {
    return id == 0 ? "root" : std::to_string(id);
}

Entry entry_of(const Machine& machine, const std::string& path, const std::string& name) {
    Entry entry;
    entry.name = name;
    const std::string place = FileSystem::normalized(path);
    const auto content = machine.files->read(place);
    entry.directory = !content.has_value();
    entry.bytes = content ? content->size() : 4096;
    const FileSystem::Mount* mount = machine.files->mount_of(place);
    const Identity* self = machine.identity.get();
    const bool volume = mount != nullptr && !mount->projected && !mount->read_only;
    if (mount != nullptr && mount->projected && place != mount->path &&
        place.find('/', mount->path.size() + 1) == std::string::npos) {
        entry.mode = "lrwxrwxrwx";
        entry.target = "..data/" + name;
        entry.bytes = entry.target.size();
        return entry;
    }
    entry.mode = entry.directory ? "drwxr-xr-x" : "-rw-r--r--";
    if (mount != nullptr && mount->projected && entry.directory) entry.mode = "drwxrwxrwt";
    if (place == "/tmp") entry.mode = "drwxrwxrwt";
    if (!volume || self == nullptr) return entry;
    if (place == mount->path && entry.directory)
        entry.mode = self->volume_group ? "drwxrwsrwx" : "drwxrwxrwx";
    else
        entry.owner = self->user_name();
    entry.group = group_name(self->volume_group     ? *self->volume_group
                             : place == mount->path ? 0
                                                    : self->group);
    return entry;
}

std::string date_text(Time time) {
    const std::time_t seconds =
        std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[32];
    return std::string(text, std::strftime(text, sizeof text, "%b %e %H:%M", &parts));
}

// The folder that the kubelet has written the files of a volume to, by the time.
std::string data_folder(Time time) {
    const std::time_t seconds =
        std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[48];
    return std::string(text, std::strftime(text, sizeof text, "..%Y_%m_%d_%H_%M_%S.000000000", &parts));
}

std::string column(const std::string& text, std::size_t width, bool right) {
    const std::string gap(text.size() < width ? width - text.size() : 0, ' ');
    return right ? gap + text : text + gap;
}

void show(const Machine& machine, const ListOptions& options, const std::vector<Entry>& entries,
          std::string& out) {
    for (const Entry& entry : entries) {
        if (!options.lengthy) {
            out += entry.name + "\n";
            continue;
        }
        const bool wide = machine.identity == nullptr || machine.identity->is_busybox();
        const std::string links = entry.directory ? "2" : "1";
        out += entry.mode + " " + column(links, wide ? 4 : 1, true) + " " +
               column(entry.owner, wide ? 8 : 4, false) + " " + column(entry.group, wide ? 8 : 4, false) +
               " " + column(std::to_string(entry.bytes), wide ? 9 : 4, true) + " " + date_text(machine.time) +
               " " + entry.name + (entry.target.empty() ? "" : " -> " + entry.target) + "\n";
    }
}

void list_folder(const Machine& machine, const ListOptions& options, const std::string& path,
                 const std::string& shown, bool titled, int depth, std::string& out) {
    if (out.size() > output_bytes_max) return;
    std::vector<Entry> entries;
    std::vector<std::string> folders;
    const std::string place = FileSystem::normalized(path);
    const FileSystem::Mount* mount = machine.files->mount_of(place);
    if (options.all && options.dots) {
        for (const char* name : {".", ".."}) {
            entries.push_back(entry_of(machine, place + "/" + name, name));
            entries.back().target.clear();
        }
    }
    if (options.all && mount != nullptr && mount->projected && mount->path == place) {
        Entry folder, link;
        folder.name = data_folder(machine.time);
        folder.directory = true;
        folder.bytes = 4096;
        folder.mode = "drwxr-xr-x";
        link.name = "..data";
        link.mode = "lrwxrwxrwx";
        link.target = folder.name;
        link.bytes = folder.name.size();
        entries.push_back(std::move(folder));
        entries.push_back(std::move(link));
    }
    for (const std::string& name : machine.files->list(place)) {
        if (!options.all && name[0] == '.') continue;
        entries.push_back(entry_of(machine, place + "/" + name, name));
        if (entries.back().directory) folders.push_back(name);
    }
    if (titled) out += shown + ":\n";
    if (options.lengthy) out += "total " + std::to_string(entries.size() * 4) + "\n";
    show(machine, options, entries, out);
    if (!options.recursive || depth >= depth_max) return;
    for (const std::string& name : folders) {
        out += "\n";
        const std::string next = (shown == "/" ? "" : shown) + "/" + name;
        list_folder(machine, options, (place == "/" ? "" : place) + "/" + name, next, true, depth + 1, out);
    }
}

}  // namespace

void list(Machine& machine, const Words& argv, Streams& streams) {
    ListOptions options;
    Words paths;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        if (argv[i].size() < 2 || argv[i][0] != '-') {
            paths.push_back(argv[i]);
            continue;
        }
        if (argv[i][1] == '-') continue;
        const auto has = [&](char letter) { return argv[i].find(letter) != std::string::npos; };
        options.lengthy = options.lengthy || has('l') || has('n');
        options.dots = options.dots || has('a');
        options.all = options.all || has('a') || has('A');
        options.itself = options.itself || has('d');
        options.recursive = options.recursive || has('R');
    }
    if (paths.empty()) paths.push_back(".");
    bool first = true;
    for (const std::string& path : paths) {
        const std::string place = path_of(machine, path);
        if (machine.files->is_directory(place) && !options.itself) {
            if (!std::exchange(first, false)) streams.out += "\n";
            list_folder(machine, options, place, path, options.recursive || paths.size() > 1, 0, streams.out);
        } else if (machine.files->is_directory(place) || machine.files->read(place)) {
            show(machine, options, {entry_of(machine, place, path)}, streams.out);
            first = false;
        } else {
            streams.err += "ls: " + path + ": No such file or directory\n";
            machine.status = 1;
        }
    }
}

// find PATH... -name PATTERN -type f|d
void find_files(Machine& machine, const Words& argv, Streams& streams) {
    Words places;
    std::string name, type;
    std::ptrdiff_t least = 0, most = 1000;  // steps below the place
    const bool deletes = std::find(argv.begin(), argv.end(), "-delete") != argv.end();
    for (std::size_t i = 1; i < argv.size(); ++i) {
        if (argv[i] == "-name" && i + 1 < argv.size())
            name = argv[++i];
        else if (argv[i] == "-mindepth" && i + 1 < argv.size())
            least = std::atoi(argv[++i].c_str());
        else if (argv[i] == "-maxdepth" && i + 1 < argv.size())
            most = std::atoi(argv[++i].c_str());
        else if (argv[i] == "-type" && i + 1 < argv.size())
            type = argv[++i];
        else if (!argv[i].empty() && argv[i][0] != '-' && name.empty() && type.empty())
            places.push_back(argv[i]);
    }
    if (places.empty()) places.push_back(".");
    for (const std::string& place : places) {
        const std::string root = FileSystem::normalized(path_of(machine, place));
        if (!machine.files->is_directory(root) && !machine.files->read(root)) {
            streams.err += "find: " + place + ": No such file or directory\n";
            machine.status = 1;
            continue;
        }
        std::map<std::string, bool> found = {{root, machine.files->is_directory(root)}};
        for (const auto& [path, content] : machine.files->all_below(root)) {
            std::string folder = path;
            const bool directory = folder.back() == '/';
            if (directory) folder.pop_back();
            found[folder] = directory;
            while ((folder.resize(folder.rfind('/')), folder.size() > root.size()))
                found.emplace(folder, true);
        }
        for (const auto& [path, directory] : found) {
            const std::string last = path.substr(path.rfind('/') + 1);
            if ((!name.empty() && !glob_match(name, last)) || (!type.empty() && (type == "d") != directory))
                continue;
            const auto depth = std::count(path.begin() + static_cast<std::ptrdiff_t>(root == "/" ? 0 : root.size()), path.end(), '/');
            if (depth < least || depth > most) continue;
            if (deletes) {
                machine.files->remove(path);
                continue;
            }
            streams.out +=
                place +
                (root == "/" && place == "/" ? path.substr(1) : path.substr(root == "/" ? 0 : root.size())) +
                "\n";
            if (streams.out.size() > output_bytes_max) return;
        }
    }
}

// dd if=/dev/zero of=FILE bs=1M count=10: as much of it as a simulated file can hold.
void copy_blocks(Machine& machine, const Words& argv, Streams& streams) {
    std::string from, to;
    std::int64_t size = 512, count = -1;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        const auto equals = argv[i].find('=');
        if (equals == std::string::npos) continue;
        const std::string key = argv[i].substr(0, equals), value = argv[i].substr(equals + 1);
        const char unit = value.empty() ? '\0' : value.back();
        const std::int64_t scale = unit == 'k' || unit == 'K' ? 1 << 10
                                   : unit == 'M'              ? 1 << 20
                                   : unit == 'G'              ? 1 << 30
                                                              : 1;
        if (key == "if") from = value;
        if (key == "of") to = value;
        if (key == "bs") size = std::clamp<std::int64_t>(std::atoll(value.c_str()), 1, 1 << 20) * scale;
        if (key == "count") count = std::clamp<std::int64_t>(std::atoll(value.c_str()), 0, 1 << 20);
    }
    std::string text;
    if (from == "/dev/zero" || from == "/dev/urandom" || from == "/dev/random") {
        if (count < 0) {
            machine.endless = true;
            return;
        }
        text.assign(static_cast<std::size_t>(std::min<std::int64_t>(size * count, 64 * 1024)), '\0');
    } else {
        text = from.empty() ? all_input(machine, streams)
                            : machine.files->read(path_of(machine, from)).value_or("");
        if (machine.wants_input) return;
        count = (static_cast<std::int64_t>(text.size()) + size - 1) / size;
    }
    if (to.empty())
        streams.out += text;
    else
        machine.files->write(path_of(machine, to), text, false);
    machine.time += std::chrono::milliseconds(50);
    streams.err += std::to_string(count) + "+0 records in\n" + std::to_string(count) + "+0 records out\n";
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
