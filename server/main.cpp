// kubemu: parse the command line, run what it names, say what went wrong in one line.
#include <chrono>
#include <cstdio>

#include "server/options.h"
#include "server/serve.h"

int main(int argc, char** argv) {
    using namespace kubemu::server;
    const auto begin = std::chrono::steady_clock::now();
    const auto options = parse_options(argc, argv);
    if (!options) {
        std::fputs(options.error().output.c_str(), options.error().code == 0 ? stdout : stderr);
        return options.error().code;
    }
    switch (options->command) {
        case Options::Command::serve:
            return serve(options->serve, begin);
        case Options::Command::kubeconfig:
            return print_kubeconfig(options->kubeconfig_server, options->kubeconfig_database);
        case Options::Command::clock:
            return run_clock_command(options->clock);
        case Options::Command::version:
            std::puts("kubemu " KUBEMU_VERSION);
            return 0;
        case Options::Command::none:
            break;
    }
    return 2;
}
