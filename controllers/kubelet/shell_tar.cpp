// tar in simulated containers: archives in the ustar format (POSIX.1-1988) from and into the container's files. It is
// what kubectl cp runs.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "controllers/kubelet/shell_commands.h"

namespace kubemu::controllers::kubelet::shell {
namespace {

constexpr std::size_t block = 512, name_max = 100, prefix_max = 155;
constexpr char regular = '0', directory = '5', long_name = 'L', extended = 'x', extended_global = 'g';

struct Options {
    char action = 0;  // c, x or t
    std::string archive = "-", directory;
    Words paths;
    bool verbose = false;
};

Options read_options(const Words& argv) {
    Options options;
    for (std::size_t i = 1; i < argv.size(); ++i) {
        const std::string& word = argv[i];
        if (word.starts_with("--")) continue;
        const bool letters = i == 1 || (word.size() > 1 && word[0] == '-');
        if (!letters) {
            options.paths.push_back(word);
            continue;
        }
        for (const char letter : word) {
            if (letter == 'c' || letter == 'x' || letter == 't') options.action = letter;
            if (letter == 'v') options.verbose = true;
            if (letter == 'f' && i + 1 < argv.size()) options.archive = argv[++i];
            if (letter == 'C' && i + 1 < argv.size()) options.directory = argv[++i];
            if ((letter == 'f' || letter == 'C')) break;
        }
    }
    return options;
}

std::string octal(std::size_t value, int digits) {
    char text[24];
    std::snprintf(text, sizeof text, "%0*zo", digits, value);
    return text;
}

void append_padded(std::string& out, std::string_view content) {
    out += content;
    out.append((block - content.size() % block) % block, '\0');
}

void append_member(std::string& out, std::string name, char type, std::string_view content) {
    if (name.size() > name_max) {
        append_member(out, "././@LongLink", long_name, name + std::string(1, '\0'));
        name.resize(name_max);
    }
    std::string head(block, '\0');
    const auto put = [&head](std::size_t at, std::string_view text) { head.replace(at, text.size(), text); };
    put(0, name);
    put(100, type == directory ? "0000755" : "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, octal(content.size(), 11));
    put(136, octal(0, 11));
    put(148, "        ");
    head[156] = type;
    put(257, std::string_view("ustar\0" "00", 8));
    put(265, "root");
    put(297, "root");
    std::size_t sum = 0;
    for (const char c : head) sum += static_cast<unsigned char>(c);
    put(148, octal(sum, 6) + std::string("\0 ", 2));
    out += head;
    append_padded(out, content);
}

std::string without_root(std::string path) {
    while (!path.empty() && path[0] == '/') path.erase(0, 1);
    return path;
}

void create(Machine& machine, const Options& options, Streams& streams) {
    std::string archive;
    const std::string base = options.directory.empty() ? machine.directory : path_of(machine, options.directory);
    bool absolute = false;
    for (const std::string& path : options.paths) {
        const bool rooted = path[0] == '/';
        const std::string full = rooted ? path : base + "/" + path;
        if (rooted && !std::exchange(absolute, true)) streams.err += "tar: removing leading '/' from member names\n";
        if (const auto content = machine.files->read(full)) {
            append_member(archive, without_root(path), regular, *content);
        } else if (machine.files->is_directory(full)) {
            std::string name = without_root(path);
            while (!name.empty() && name.back() == '/') name.pop_back();
            append_member(archive, name + "/", directory, {});
            const std::size_t skipped = machine.files->normalized(full).size();
            for (const auto& [file, text] : machine.files->all_below(full)) {
                const bool is_directory = file.back() == '/';
                const std::string member = name + (skipped == 1 ? "/" : "") + file.substr(skipped);
                append_member(archive, without_root(member), is_directory ? directory : regular, text);
            }
        } else {
            streams.err += "tar: " + path + ": No such file or directory\ntar: error exit delayed from previous errors\n";
            machine.status = 1;
        }
    }
    archive.append(2 * block, '\0');
    if (options.archive == "-") streams.out += archive;
    else machine.files->write(path_of(machine, options.archive), archive, false);
}

struct Member {
    std::string name;
    char type = regular;
    std::string_view content;
};

// The member at the front of the archive, which it is cut from; false at the end. `broken`: it is no archive.
bool next_member(std::string_view& archive, Member& member, bool& broken) {
    std::string long_text;
    while (archive.size() >= block && archive[0] != '\0') {
        const std::string_view head = archive.substr(0, block);
        const auto field = [head](std::size_t at, std::size_t size) {
            const std::string_view text = head.substr(at, size);
            return std::string(text.substr(0, text.find('\0')));
        };
        const std::size_t size = std::strtoull(field(124, 12).c_str(), nullptr, 8);
        broken = field(257, 5) != "ustar" || size > archive.size() - block;
        if (broken) return false;
        const std::string_view content = archive.substr(block, size);
        archive.remove_prefix(std::min(archive.size(), block + (size + block - 1) / block * block));
        member.type = head[156] == '\0' ? regular : head[156];
        if (member.type == extended || member.type == extended_global) continue;
        if (member.type == long_name) {
            long_text = content.substr(0, content.find('\0'));
            continue;
        }
        const std::string prefix = field(345, prefix_max);
        member.name = !long_text.empty() ? long_text : prefix.empty() ? field(0, name_max) : prefix + "/" + field(0, name_max);
        member.content = content;
        return true;
    }
    return false;
}

void extract(Machine& machine, const Options& options, Streams& streams) {
    std::string text;
    if (options.archive == "-") {
        text = all_input(machine, streams);
        if (machine.wants_input) return;
    } else {
        text = machine.files->read(path_of(machine, options.archive)).value_or("");
    }
    std::string_view archive = text;
    const std::string base = options.directory.empty() ? machine.directory : path_of(machine, options.directory);
    Member member;
    bool broken = false;
    while (next_member(archive, member, broken)) {
        if (options.action == 't' || options.verbose) streams.out += member.name + "\n";
        if (options.action == 't') continue;
        std::string path = base + "/" + without_root(member.name);
        while (path.size() > 1 && path.back() == '/') path.pop_back();
        if (member.type == directory) {
            if (!machine.files->is_directory(path)) machine.files->make_directory(path);
        } else if (member.type == regular && !machine.files->write(path, std::string(member.content), false)) {
            streams.err += "tar: can't open '" + without_root(member.name) + "': Read-only file system\n";
            machine.status = 1;
        }
    }
    if (broken || text.empty()) {
        streams.err += text.empty() ? "tar: short read\n" : "tar: invalid tar magic\n";
        machine.status = 1;
    }
}

}  // namespace

void tape_archive(Machine& machine, const Words& argv, Streams& streams) {
    const Options options = read_options(argv);
    if (options.action == 'c' && !options.paths.empty()) return create(machine, options, streams);
    if (options.action == 'x' || options.action == 't') return extract(machine, options, streams);
    streams.err += "tar: must specify one of -c, -x, -t, and what to archive\n";
    machine.status = 1;
}

}  // namespace kubemu::controllers::kubelet::shell
