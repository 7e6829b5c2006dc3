// The two kinds of commands that clients talk to: a process beside the container's own, and the container's own.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "api/subresources/pod_streams.h"
#include "controllers/kubelet/logs.h"

namespace kubemu::controllers::kubelet {

// An exec; `process` shares files with `run`'s and ends with it.
std::unique_ptr<api::RemoteCommand> make_exec(ContainerRunPtr run, std::unique_ptr<Process> process, Manager& manager,
                                              std::function<void()> changed);
// One that could not be started.
std::unique_ptr<api::RemoteCommand> make_failed_exec(std::string error);
// The output from now on. Input goes to the process where the container has one (`stdin`), and ends with the client
// when it is for the first alone (`once`).
struct AttachedInput {
    bool stdin = false, once = false;
};
std::unique_ptr<api::RemoteCommand> make_attach(ContainerRunPtr run, AttachedInput input, Manager& manager,
                                                std::function<void()> changed);

}  // namespace kubemu::controllers::kubelet
