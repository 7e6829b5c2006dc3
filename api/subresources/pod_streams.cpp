// Statuses of commands (kubernetes cri-streaming/pkg/streaming/remotecommand/exec.go; apiserver
// pkg/util/proxy/streamtranslator.go).
#include "api/subresources/pod_streams.h"

#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

std::string dumped(const Json& status) { return status.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

std::string internal_error_text(std::string_view message) {
    return dumped({{"metadata", Json::object()},
                   {"status", "Failure"},
                   {"message", "Internal error occurred: " + std::string(message)},
                   {"reason", "InternalError"},
                   {"details", {{"causes", Json::array({{{"message", message}}})}}},
                   {"code", 500}});
}

std::string status_text(const CommandEnd& end, const std::vector<std::string>& command, bool translated) {
    if (!end.error.empty()) {
        const std::string why = "error executing command in container: " + end.error;
        return internal_error_text(translated ? "Internal error occurred: " + why : why);
    }
    if (end.exit_code == 0) return dumped({{"metadata", Json::object()}, {"status", "Success"}});
    const std::string code = std::to_string(end.exit_code);
    const std::string what = translated ? "command terminated with exit code " + code
                                        : "error executing command [" + join(command, " ") + "], exit code " + code;
    return dumped({{"metadata", Json::object()},
                   {"status", "Failure"},
                   {"message", "command terminated with non-zero exit code: " + what},
                   {"reason", "NonZeroExitCode"},
                   {"details", {{"causes", Json::array({{{"reason", "ExitCode"}, {"message", code}}})}}}});
}

std::string status_message(std::string_view status_text) {
    const Json status = Json::parse(status_text, nullptr, false);
    if (string_at(status, {"status"}) == "Success") return {};
    return std::string(string_at(status, {"message"}));
}

}  // namespace kubemu::api
