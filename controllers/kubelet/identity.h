// Identity: who a simulated container is: its names, its user, and the files that a runtime and a kernel show
// it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/values/object.h"

namespace kubemu::controllers::kubelet {

struct Identity {
    // A line of `ps`.
    struct Task {
        int id = 1;
        std::string user, command;
    };
    std::string host_name, domain;  // domain: of a pod with a subdomain, "nginx.default.svc.cluster.local"
    std::string pod_ip, node;
    std::string hosts, resolver;  // what the pod adds to /etc/hosts; all of /etc/resolv.conf
    std::string image;            // as the spec names it
    int user = 0, group = 0;
    std::vector<int> groups;          // with `group`, in order
    std::optional<int> volume_group;  // fsGroup
    std::uint64_t capabilities = 0;   // the permitted set
    bool no_new_privileges = false, own_user_namespace = false;
    std::string profile;                    // of AppArmor
    std::vector<Task> tasks;                // what runs beside the commands that somebody types
    std::vector<std::string> mount_points;  // volumes, in the order of the spec

    std::string user_name() const;
    // busybox and what is made of it: its tools speak their own dialect.
    bool is_busybox() const;
    // sh is dash: echo reads escapes.
    bool has_dash() const;
};

// Of a container that is in `pod`; of an address that is not known yet `pod_ip` is empty. `dns_server`: the cluster's.
Identity identity_of(const api::Json& pod, const api::Json& container, const std::string& pod_ip,
                     const std::string& host_name, const std::string& dns_server);
// Whom it asks for names first.
std::string name_server_of(const Identity& identity);

// A file that nobody has written and that is there: /etc/hosts, /proc/1/status...
std::optional<std::string> system_file(const Identity& identity, std::string_view path);
// Their paths.
const std::vector<std::string_view>& system_paths();

}  // namespace kubemu::controllers::kubelet
