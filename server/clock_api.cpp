// See clock_api.h. Everything that turns the clock or reads what waits runs on the control thread.
#include "server/clock_api.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/request_scope.h"
#include "api/values/object.h"
#include "api/values/status.h"
#include "api/values/time.h"

namespace kubemu::server {
namespace {

constexpr std::string_view root = "/kubemu/clock";
constexpr const char* kept_as = "clock";
constexpr std::size_t waiting_shown_max = 100;
constexpr double longest_turn_us = 100.0 * 366 * 86400e6;

api::Response answer(int code, std::string body) {
    api::Response response;
    response.code = code;
    response.body.push_back(Slice::of(std::move(body)));
    return response;
}

api::Response refusal(const api::Status& status) { return answer(status.code(), status.to_json()); }

api::Status cannot_turn(std::string_view why) { return api::Status::conflict("", "clock", "cluster", why); }

double microseconds_of(std::string_view unit) {
    if (unit == "us") return 1;
    if (unit == "ms") return 1e3;
    if (unit == "s") return 1e6;
    if (unit == "m") return 60e6;
    if (unit == "h") return 3600e6;
    return unit == "d" ? 86400e6 : 0;
}

}  // namespace

// What a request asks for, and where its answer goes.
struct ClockApi::Turn {
    enum class Kind { show, settle, advance, set };
    Kind kind = Kind::show;
    Duration by{};  // advance
    Time to{};      // set; where to stop, once it has begun
    bool begun = false;
    api::Respond respond = {};

    bool turns() const { return kind == Kind::advance || kind == Kind::set; }
    static api::ApiResult<Turn> of(const api::Request& request);
};

api::ApiResult<ClockApi::Turn> ClockApi::Turn::of(const api::Request& request) {
    const std::string_view action = std::string_view(request.path).substr(root.size());
    Turn turn;
    if (action.empty() && (request.method == "GET" || request.method == "HEAD")) return turn;
    if (request.method != "POST" || action.empty()) {
        return api::Status::server_response(405);
    }
    if (action == "/settle") {
        turn.kind = Kind::settle;
        return turn;
    }
    if (action != "/advance" && action != "/set") return api::Status::unknown_path();
    const auto body = api::parse_json(request.body);
    if (!body || !body->is_object()) return api::Status::bad_request("the body is no JSON object");
    if (action == "/advance") {
        const auto by = parse_clock_duration(api::string_at(*body, {"duration"}));
        if (!by) return api::Status::bad_request("duration: expected something like 90s, 1h30m or 2d");
        turn.kind = Kind::advance;
        turn.by = *by;
        return turn;
    }
    const auto to = api::parse_time(api::string_at(*body, {"time"}));
    if (!to) return api::Status::bad_request("time: expected RFC 3339, for example 2026-01-01T00:00:00Z");
    turn.kind = Kind::set;
    turn.to = *to;
    return turn;
}

std::optional<Duration> parse_clock_duration(std::string_view text) {
    if (text.empty()) return std::nullopt;
    double microseconds = 0;
    while (!text.empty()) {
        double number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
        if (error != std::errc() || !(number >= 0)) return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        const std::size_t size = text.substr(0, 2) == "ms" || text.substr(0, 2) == "us" ? 2 : 1;
        const double scale = microseconds_of(text.substr(0, size));
        if (scale == 0) return std::nullopt;
        microseconds += number * scale;
        text.remove_prefix(size);
    }
    if (!(microseconds <= longest_turn_us)) return std::nullopt;
    return Duration(static_cast<Duration::rep>(microseconds));
}

std::optional<Time> kept_clock(const storage::Store& store) {
    const auto kept = store.meta(kept_as);
    return kept ? api::parse_time(*kept) : std::nullopt;
}

void keep_clock(storage::Store& store, Time time) { (void)store.set_meta(kept_as, api::format_micro_time(time)); }

bool ClockApi::serves(std::string_view path) {
    return path.substr(0, root.size()) == root && (path.size() == root.size() || path[root.size()] == '/');
}

std::string ClockApi::state() const {
    const PacedClock& clock = options_.clock;
    api::Json state = {{"mode", clock.stands_still() ? "virtual" : clock.factor() == 1 ? "real" : "scaled"},
                       {"time", api::format_micro_time(clock.now())},
                       {"waiting", api::Json::array()}};
    if (!clock.stands_still()) state["factor"] = clock.factor();
    for (const auto& entry : options_.manager.waiting(waiting_shown_max)) {
        state["waiting"].push_back({{"due", api::format_micro_time(entry.due)}, {"what", entry.what}});
    }
    return api::encode_raw(state);
}

void ClockApi::handle(const api::Request& request, api::Respond respond) {
    api::ApiResult<Turn> asked = Turn::of(request);
    if (!asked) return respond(refusal(asked.error()));
    if (asked->turns() && !options_.clock.stands_still()) {
        return respond(refusal(cannot_turn("the clock runs by itself; one that can be turned is had with kubemu serve --clock virtual")));
    }
    auto turn = std::make_shared<Turn>(std::move(*asked));
    turn->respond = std::move(respond);
    if (turn->kind == Turn::Kind::show) {
        options_.manager.post([this, turn] { turn->respond(answer(200, state())); });
    } else {
        options_.manager.when_settled([this, turn] { step(turn); });
    }
}

void ClockApi::step(const std::shared_ptr<Turn>& turn) {
    PacedClock& clock = options_.clock;
    const Time now = clock.now();
    if (turn->kind == Turn::Kind::set && !turn->begun && turn->to < now) {
        return turn->respond(refusal(cannot_turn("the clock shows " + api::format_time(now) + " and does not go back")));
    }
    if (turn->kind == Turn::Kind::advance && !turn->begun) turn->to = now + turn->by;
    turn->begun = true;
    if (!turn->turns() || now >= turn->to) {
        if (turn->turns()) keep_clock(options_.store, now);
        return turn->respond(answer(200, state()));
    }
    // To the next thing that is due, which is done before anything that comes later.
    const std::optional<Time> due = options_.manager.next_due();
    clock.turn(due && *due < turn->to ? std::max(*due, now + Duration(1)) : turn->to);
    options_.manager.when_settled([this, turn] { step(turn); });
}

api::Respond ClockApi::after_settling(const api::Request& request, api::Respond respond) {
    if (!options_.clock.stands_still() || request.method == "GET" || request.method == "HEAD") return respond;
    return [this, respond = std::move(respond)](api::Response response) {
        // The controllers wait for a webhook, which may wait for this very answer.
        if (api::somebody_waits()) return respond(std::move(response));
        const auto kept = std::make_shared<api::Response>(std::move(response));
        options_.manager.when_settled([respond, kept] { respond(std::move(*kept)); });
    };
}

}  // namespace kubemu::server
