// PodLogs: where GET pods/log gets its text. The simulated nodes implement it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "api/request.h"
#include "api/values/status.h"
#include "storage/base/clock.h"
#include "storage/record.h"

namespace kubemu::api {

struct LogQuery {
    storage::RecordPtr pod;
    std::string container;
    bool follow = false;
    bool previous = false;
    bool timestamps = false;
    std::optional<std::int64_t> tail_lines;
    std::optional<std::int64_t> limit_bytes;
    std::optional<Time> since;
};

// Thread-safe. The stream ends at once unless `follow` is set and the container still runs.
class PodLogs {
  public:
    virtual ~PodLogs() = default;
    // Errors are those of the node: a container that waits to start (400), no previous container (400).
    virtual ApiResult<std::unique_ptr<Stream>> open(const LogQuery& query) = 0;
};

}  // namespace kubemu::api
