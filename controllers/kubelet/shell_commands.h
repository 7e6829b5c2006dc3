// What the commands of simulated containers share, and those that have a file of their own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controllers/kubelet/interpreter.h"

namespace kubemu::controllers::kubelet::shell {

using Words = std::vector<std::string>;

// What one command may print.
constexpr std::size_t output_bytes_max = 256 * 1024;

// A path as the machine's files know it.
std::string path_of(const Machine& machine, const std::string& path);
std::vector<std::string> lines_of(const std::string& text);
// All of standard input. While more may come, the command is to return at once: it will be run again.
std::string all_input(Machine& machine, Streams& streams);
// For commands that look at one line after the other: those that have come since the last time, whole. While more may come
// it will be run again, after what it has written.
std::string lines_so_far(Machine& machine, Streams& streams);
// Standard input, or the files named.
std::string input_of(Machine& machine, const Words& files, Streams& streams, std::string_view name);

// Path names (shell_glob.cpp): those that the wildcards of a word stand for, sorted; none when nothing is there. `live` has
// a 1 at each place of the word that was not quoted.
bool has_wildcard(std::string_view word, std::string_view live);
std::vector<std::string> path_names(const Machine& machine, std::string_view word, std::string_view live);

// Text (shell_text.cpp): head and tail, grep, wc, sort and uniq, tee, seq, rev, base64, expr.
void head_or_tail(Machine& machine, const Words& argv, Streams& streams);
void search(Machine& machine, const Words& argv, Streams& streams);
void word_count(Machine& machine, const Words& argv, Streams& streams);
void sort_lines(Machine& machine, const Words& argv, Streams& streams);
void tee(Machine& machine, const Words& argv, Streams& streams);
void sequence(Machine& machine, const Words& argv, Streams& streams);
void expression(Machine& machine, const Words& argv, Streams& streams);
void base64_text(Machine& machine, const Words& argv, Streams& streams);
void reverse_lines(Machine& machine, const Words& argv, Streams& streams);

// Files and folders (shell_files.cpp): touch, mkdir, rm, cp, find, dd, ls, cd, pwd.
void touch(Machine& machine, const Words& argv, Streams& streams);
void make_directories(Machine& machine, const Words& argv, Streams& streams);
void remove(Machine& machine, const Words& argv, Streams& streams);
void copy(Machine& machine, const Words& argv, Streams& streams);
void find_files(Machine& machine, const Words& argv, Streams& streams);
void copy_blocks(Machine& machine, const Words& argv, Streams& streams);
void list(Machine& machine, const Words& argv, Streams& streams);
void change_directory(Machine& machine, const Words& argv, Streams& streams);
void print_directory(Machine& machine, const Words& argv, Streams& streams);

// Programs of well-known images (shell_programs.cpp): servers, and tools whose effect nobody sees.
void perl(Machine& machine, const Words& argv, Streams& streams);
void quick(Machine& machine, const Words& argv, Streams& streams);
void serve(Machine& machine, const Words& argv, Streams& streams);
void toil(Machine& machine, const Words& argv, Streams& streams);
void nginx(Machine& machine, const Words& argv, Streams& streams);
void agnhost(Machine& machine, const Words& argv, Streams& streams);

// Small scripts of Python (shell_python.cpp).
void python(Machine& machine, const Words& argv, Streams& streams);

// Archives (shell_tar.cpp), as kubectl cp needs them.
void tape_archive(Machine& machine, const Words& argv, Streams& streams);

// Lines that are changed (shell_edit.cpp): cut, tr, sed.
void cut_columns(Machine& machine, const Words& argv, Streams& streams);
void translate(Machine& machine, const Words& argv, Streams& streams);
void edit_lines(Machine& machine, const Words& argv, Streams& streams);

// What a container can say of itself (shell_system.cpp): ps, id, whoami, uname, which...
void host_name(Machine& machine, const Words& argv, Streams& streams);
void send_signal(Machine& machine, const Words& argv, Streams& streams);
void read_link(Machine& machine, const Words& argv, Streams& streams);
void mounts(Machine& machine, const Words& argv, Streams& streams);
void disk_free(Machine& machine, const Words& argv, Streams& streams);
void processes(Machine& machine, const Words& argv, Streams& streams);
void identity(Machine& machine, const Words& argv, Streams& streams);
void who_am_i(Machine& machine, const Words& argv, Streams& streams);
void system_name(Machine& machine, const Words& argv, Streams& streams);
void which(Machine& machine, const Words& argv, Streams& streams);
void base_name(Machine& machine, const Words& argv, Streams& streams);
void directory_name(Machine& machine, const Words& argv, Streams& streams);

// wget and curl (shell_fetch.cpp).
void fetch(Machine& machine, const Words& argv, Streams& streams);

// The cluster's network (shell_network.cpp): nslookup, dig and host, nc, ping, ip.
// Who is meant, found as a resolver with the pod's search list finds it.
Network::Answer look_up(const Machine& machine, const std::string& host, int port);
void name_look_up(Machine& machine, const Words& argv, Streams& streams);
void net_cat(Machine& machine, const Words& argv, Streams& streams);
void ping(Machine& machine, const Words& argv, Streams& streams);
void host_addresses(Machine& machine, const Words& argv, Streams& streams);

}  // namespace kubemu::controllers::kubelet::shell
