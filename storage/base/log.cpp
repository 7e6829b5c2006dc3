// Log lines by spdlog, which formats times and serialises writers.
#include "storage/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>

namespace kubemu {
namespace {

std::atomic<LogLevel> lowest{LogLevel::info};

spdlog::logger& logger() {
    static const auto instance = [] {
        auto made = std::make_shared<spdlog::logger>("kubemu", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
        made->set_level(spdlog::level::trace);
        made->flush_on(spdlog::level::trace);
        return made;
    }();
    return *instance;
}

}  // namespace

void set_log_level(LogLevel level) { lowest = level; }
bool log_enabled(LogLevel level) { return level >= lowest.load(); }

void log_line(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
    if (!log_enabled(level)) return;
    std::string line(message);
    for (const auto& [name, value] : fields) {
        line += ' ';
        line += name;
        line += '=';
        line += value;
    }
    static constexpr spdlog::level::level_enum levels[] = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                                           spdlog::level::err};
    logger().log(levels[static_cast<int>(level)], "{}", line);
}

}  // namespace kubemu
