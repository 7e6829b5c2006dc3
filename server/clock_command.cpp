// See clock_command.h.
#include "server/clock_command.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/values/object.h"
#include "server/http_client.h"

namespace kubemu::server {
namespace {

constexpr std::size_t lines_max = 20;

int fail(const std::string& why) {
    std::fprintf(stderr, "kubemu: %s\n", why.c_str());
    return 1;
}

// 2026-01-01T00:00:00.000000Z as 2026-01-01T00:00:00Z.
std::string short_time(std::string_view text) {
    std::string out(text);
    const std::size_t dot = out.find('.');
    if (dot == std::string::npos) return out;
    std::size_t end = out.size() - 1;  // the Z
    while (end > dot + 1 && out[end - 1] == '0') --end;
    if (end == dot + 1) end = dot;
    return out.substr(0, end) + "Z";
}

void print(const api::Json& state) {
    const std::string_view mode = api::string_at(state, {"mode"});
    std::printf("%s  ", short_time(api::string_at(state, {"time"})).c_str());
    if (mode == "virtual") std::puts("(virtual: stands still until it is turned)");
    if (mode == "real") std::puts("(real: the machine's clock)");
    if (mode == "scaled") std::printf("(scaled: %g times as fast as the machine's)\n", state.value("factor", 1.0));
    const api::Json& waiting = api::array_at(state, {"waiting"});
    if (waiting.empty()) return;
    std::puts("waiting:");
    std::size_t shown = 0;
    for (const api::Json& entry : waiting) {
        if (++shown > lines_max) break;
        std::printf("  %-28s %s\n", short_time(api::string_at(entry, {"due"})).c_str(), std::string(api::string_at(entry, {"what"})).c_str());
    }
    if (waiting.size() > lines_max) std::printf("  ... and more: GET /kubemu/clock shows up to a hundred\n");
}

}  // namespace

int run_clock_command(const ClockCommand& command) {
    using Action = ClockCommand::Action;
    std::string path = "/kubemu/clock", body;
    if (command.action == Action::settle) path += "/settle";
    if (command.action == Action::advance) {
        path += "/advance";
        body = api::encode_raw({{"duration", command.argument}});
    }
    if (command.action == Action::set) {
        path += "/set";
        body = api::encode_raw({{"time", command.argument}});
    }
    const auto answer = http_request(command.server, command.action == Action::show ? "GET" : "POST", path, body);
    if (!answer) return fail(answer.error());
    const auto document = api::parse_json(answer->body);
    if (!document || !document->is_object()) return fail(command.server + " answers with something else than a clock");
    if (answer->code != 200) {
        const std::string_view message = api::string_at(*document, {"message"});
        return fail(message.empty() ? command.server + " has no clock to turn" : std::string(message));
    }
    print(*document);
    return 0;
}

}  // namespace kubemu::server
