// Log lines on standard error: time, level, message and key=value pairs.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace kubemu {

enum class LogLevel { debug, info, warning, error };

using LogField = std::pair<std::string_view, std::string>;

// Lines below `level` are dropped. Thread-safe, like everything here.
void set_log_level(LogLevel level);
bool log_enabled(LogLevel level);
void log_line(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});

}  // namespace kubemu
