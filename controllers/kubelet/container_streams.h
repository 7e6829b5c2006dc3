// ContainerStreams: exec, attach and port-forward of simulated pods, and what it takes to talk to a container.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "api/subresources/pod_streams.h"
#include "controllers/kubelet/logs.h"
#include "controllers/kubelet/pod_pages.h"

namespace kubemu::controllers::kubelet {

class ContainerStreams final : public api::PodStreams {
  public:
    struct Options {
        Manager& manager;
        LogStore& logs;
        // Something happened in a container that its pod has to hear of (a file that a probe looks at, an exit).
        // Called from any thread.
        std::function<void(const std::string& pod_key)> changed;
    };
    explicit ContainerStreams(Options options) : options_(std::move(options)) {}

    Result<std::unique_ptr<api::RemoteCommand>, Refusal> open(const api::CommandQuery& query) override;
    std::optional<Refusal> refuse_ports(const storage::RecordPtr& pod) override;
    Result<std::unique_ptr<api::PortConnection>, std::string> dial(const storage::RecordPtr& pod, int port) override;

  private:
    Options options_;
};

// What a container of the pod answers on this port; nothing: none listens. Call it with the mutex of all runs held.
std::optional<Page> page_within(const api::Registry& registry, LogStore& logs, const api::Json& pod, int port,
                                const PageRequest& request, Time now);
// How one talks to this container's process `argv`.
std::shared_ptr<const Conversation> conversation_of(const api::Json& pod, const api::Json& container,
                                                    const std::vector<std::string>& argv, bool in, bool tty);
// The shell that the image starts without a command; "sh" when it is not known.
std::string default_shell(std::string_view image);
// Whether the image has a program of this name, as far as is known here.
bool image_has(std::string_view image, std::string_view program);

}  // namespace kubemu::controllers::kubelet
