// Programs of well-known images as far as the documentation uses them: servers that stay up, perl's digits of
// pi, and tools that do something and end.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "controllers/kubelet/image_catalog.h"
#include "controllers/kubelet/shell_commands.h"

namespace kubemu::controllers::kubelet::shell {
namespace {

// Digits of pi by the spigot of Rabinowitz and Wagon: the Job of Kubernetes' documentation computes 2,000 of
// them.
std::string pi_digits(int count) {
    std::vector<int> cells(static_cast<std::size_t>(count) * 10 / 3 + 10, 2);
    std::string digits;
    std::string held;
    while (static_cast<int>(digits.size() + held.size()) < count + 5) {
        int carry = 0;
        for (std::size_t i = cells.size(); i-- > 0;) {
            const int value = cells[i] * 10 + carry;
            const int divisor = i == 0 ? 10 : static_cast<int>(2 * i + 1);
            cells[i] = value % divisor;
            carry = value / divisor * static_cast<int>(i == 0 ? 1 : i);
        }
        if (carry == 9) {
            held += '9';
        } else if (carry >= 10) {
            for (char& c : held) c = c == '9' ? '0' : static_cast<char>(c + 1);
            digits += held;
            held = std::string(1, static_cast<char>('0' + carry - 10));
        } else {
            digits += held;
            held = std::string(1, static_cast<char>('0' + carry));
        }
    }
    digits = (digits + held).substr(0, static_cast<std::size_t>(count));
    return digits.substr(0, 1) + "." + digits.substr(1);
}

}  // namespace

void perl(Machine& machine, const Words& argv, Streams& streams) {
    machine.time += std::chrono::seconds(1);
    const auto call = argv.back().find("bpi(");
    if (call == std::string::npos) return;
    const int count = std::clamp(std::atoi(argv.back().c_str() + call + 4), 2, 5000);
    streams.out += pi_digits(count) + "\n";
}

// Programs that do something and end, whose effect nobody sees here.
void quick(Machine& machine, const Words&, Streams&) {
    machine.time += std::chrono::milliseconds(200);
}

// A server that cleans up and ends well when it is asked to.
void serve(Machine& machine, const Words&, Streams&) {
    machine.endless = true;
    machine.stop_code = 0;
}

// A program without a handler for SIGTERM.
void toil(Machine& machine, const Words&, Streams&) {
    machine.endless = true;
    machine.stop_code.reset();
}

void run_unknown(Machine& machine, std::string_view name) {
    if (!machine.unknown_runs_for_ever || machine.depth > 0) {
        machine.time += machine.unknown_duration;
        return;
    }
    machine.endless = true;
    machine.stop_code = stop_code_of_program(name.substr(name.rfind('/') == name.npos ? 0 : name.rfind('/') + 1));
}

// The test image of Kubernetes: what its web server says when it starts.
void agnhost(Machine& machine, const Words& argv, Streams& streams) {
    machine.endless = true;
    machine.stop_code = stop_code_of_image("agnhost", argv.size() < 2 ? std::string_view() : argv[1]);
    if (argv.size() < 2 || argv[1] != "netexec") return;
    std::string port = "8080";
    for (const std::string& word : argv)
        if (word.substr(0, 12) == "--http-port=") port = word.substr(12);
    const std::time_t seconds =
        std::chrono::duration_cast<std::chrono::seconds>(machine.time.time_since_epoch()).count();
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char stamp[32];
    std::strftime(stamp, sizeof stamp, "I%m%d %H:%M:%S", &parts);
    streams.out += std::string(stamp) + ".677397       1 log.go:245] Started HTTP server on port " + port +
                   "\n" + stamp + ".677586       1 log.go:245] Started UDP server on port 8081\n";
}

// nginx -s quit, -T and the like are done at once; without them it serves.
void nginx(Machine& machine, const Words& argv, Streams&) {
    for (std::size_t i = 1; i < argv.size(); ++i) {
        if (argv[i] == "-t" || argv[i] == "-v" || argv[i] == "-V") return;
        if (argv[i] != "-s" || i + 1 >= argv.size()) continue;
        if ((argv[i + 1] == "quit" || argv[i + 1] == "stop") && machine.stop != nullptr)
            machine.stop->at = machine.time;
        return;
    }
    machine.endless = true;
    machine.stop_code = 0;
}

}  // namespace kubemu::controllers::kubelet::shell
