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
// Standard input, or the files named.
std::string input_of(Machine& machine, const Words& files, Streams& streams, std::string_view name);

// Text (shell_text.cpp): head and tail, grep, wc, sort and uniq, tee, seq.
void head_or_tail(Machine& machine, const Words& argv, Streams& streams);
void search(Machine& machine, const Words& argv, Streams& streams);
void word_count(Machine& machine, const Words& argv, Streams& streams);
void sort_lines(Machine& machine, const Words& argv, Streams& streams);
void tee(Machine& machine, const Words& argv, Streams& streams);
void sequence(Machine& machine, const Words& argv, Streams& streams);

// Files and folders (shell_files.cpp): touch, mkdir, rm, cp, ls, cd, pwd.
void touch(Machine& machine, const Words& argv, Streams& streams);
void make_directories(Machine& machine, const Words& argv, Streams& streams);
void remove(Machine& machine, const Words& argv, Streams& streams);
void copy(Machine& machine, const Words& argv, Streams& streams);
void list(Machine& machine, const Words& argv, Streams& streams);
void change_directory(Machine& machine, const Words& argv, Streams& streams);
void print_directory(Machine& machine, const Words& argv, Streams& streams);

// Archives (shell_tar.cpp), as kubectl cp needs them.
void tape_archive(Machine& machine, const Words& argv, Streams& streams);

// What a container can say of itself (shell_system.cpp): ps, id, whoami, uname, which...
void processes(Machine& machine, const Words& argv, Streams& streams);
void identity(Machine& machine, const Words& argv, Streams& streams);
void who_am_i(Machine& machine, const Words& argv, Streams& streams);
void system_name(Machine& machine, const Words& argv, Streams& streams);
void which(Machine& machine, const Words& argv, Streams& streams);
void base_name(Machine& machine, const Words& argv, Streams& streams);
void directory_name(Machine& machine, const Words& argv, Streams& streams);

// The cluster's network (shell_network.cpp): wget and curl, nslookup, nc.
void fetch(Machine& machine, const Words& argv, Streams& streams);
void name_look_up(Machine& machine, const Words& argv, Streams& streams);
void net_cat(Machine& machine, const Words& argv, Streams& streams);

}  // namespace kubemu::controllers::kubelet::shell
