// The clock of the cluster over HTTP, and what else follows from a clock that stands still.
//
//   GET  /kubemu/clock                             what it shows, and what waits for which time
//   POST /kubemu/clock/advance {"duration":"1h"}   turns it, stopping at everything that is due on the way
//   POST /kubemu/clock/set     {"time":"2026-01-01T00:00:00Z"}
//   POST /kubemu/clock/settle                      until no controller has anything left to do now
// All answer with what GET shows, when the cluster has settled. Turning a clock that runs by itself is a conflict (409).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/request.h"
#include "controllers/runtime/manager.h"
#include "storage/base/paced_clock.h"
#include "storage/store.h"

namespace kubemu::server {

// Thread-safe.
class ClockApi {
  public:
    struct Options {
        PacedClock& clock;
        controllers::Manager& manager;
        storage::Store& store;
    };
    explicit ClockApi(Options options) : options_(options) {}

    static bool serves(std::string_view path);
    void handle(const api::Request& request, api::Respond respond);
    // With a clock that stands still, a write is answered when the controllers have done all that follows from it at
    // this moment: the next request finds the same state on every run.
    api::Respond after_settling(const api::Request& request, api::Respond respond);

  private:
    struct Turn;
    void step(const std::shared_ptr<Turn>& turn);  // on the control thread, when all has settled
    std::string state() const;                     // on the control thread

    Options options_;
};

// The time that the cluster's clock showed when it was last kept in the database.
std::optional<Time> kept_clock(const storage::Store& store);
void keep_clock(storage::Store& store, Time time);

// "1h30m", "90s", "1.5h", "250ms", "2d"; nothing when it is no such duration, or one of more than a hundred years.
std::optional<Duration> parse_clock_duration(std::string_view text);

}  // namespace kubemu::server
