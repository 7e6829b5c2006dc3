// Users, groups and capabilities of a container, and the text of files under /etc and /proc.
#include "controllers/kubelet/identity.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "api/values/text.h"
#include "controllers/kubelet/image_catalog.h"

namespace kubemu::controllers::kubelet {

using api::array_at;
using api::Json;
using api::object_at;
using api::string_at;

namespace {

// In the order of their bits (include/uapi/linux/capability.h).
constexpr std::string_view capability_names[] = {"CHOWN",
                                                 "DAC_OVERRIDE",
                                                 "DAC_READ_SEARCH",
                                                 "FOWNER",
                                                 "FSETID",
                                                 "KILL",
                                                 "SETGID",
                                                 "SETUID",
                                                 "SETPCAP",
                                                 "LINUX_IMMUTABLE",
                                                 "NET_BIND_SERVICE",
                                                 "NET_BROADCAST",
                                                 "NET_ADMIN",
                                                 "NET_RAW",
                                                 "IPC_LOCK",
                                                 "IPC_OWNER",
                                                 "SYS_MODULE",
                                                 "SYS_RAWIO",
                                                 "SYS_CHROOT",
                                                 "SYS_PTRACE",
                                                 "SYS_PACCT",
                                                 "SYS_ADMIN",
                                                 "SYS_BOOT",
                                                 "SYS_NICE",
                                                 "SYS_RESOURCE",
                                                 "SYS_TIME",
                                                 "SYS_TTY_CONFIG",
                                                 "MKNOD",
                                                 "LEASE",
                                                 "AUDIT_WRITE",
                                                 "AUDIT_CONTROL",
                                                 "SETFCAP",
                                                 "MAC_OVERRIDE",
                                                 "MAC_ADMIN",
                                                 "SYSLOG",
                                                 "WAKE_ALARM",
                                                 "BLOCK_SUSPEND",
                                                 "AUDIT_READ",
                                                 "PERFMON",
                                                 "BPF",
                                                 "CHECKPOINT_RESTORE"};
constexpr std::uint64_t every_capability = (std::uint64_t{1} << 41) - 1;
constexpr std::uint64_t usual_capabilities = 0xa80425fb;  // what containerd gives

std::uint64_t capability_bits(const Json& names) {
    std::uint64_t bits = 0;
    for (const Json& each : names) {
        if (!each.is_string()) continue;
        std::string_view name = each.get_ref<const std::string&>();
        if (name == "ALL") return every_capability;
        if (name.substr(0, 4) == "CAP_") name.remove_prefix(4);
        const auto* const found = std::find(std::begin(capability_names), std::end(capability_names), name);
        if (found != std::end(capability_names))
            bits |= std::uint64_t{1} << (found - std::begin(capability_names));
    }
    return bits;
}

std::uint64_t capabilities_of(const Json& context) {
    if (api::bool_at(context, {"privileged"})) return every_capability;
    const std::uint64_t dropped = capability_bits(array_at(context, {"capabilities", "drop"}));
    return (usual_capabilities & ~dropped) | capability_bits(array_at(context, {"capabilities", "add"}));
}

// A member of the container's security context, else of the pod's.
const Json* security(const Json& pod, const Json& container, std::string_view member) {
    const Json* own = api::find(object_at(container, {"securityContext"}), member);
    return own != nullptr ? own : api::find(object_at(pod, {"spec", "securityContext"}), member);
}

std::optional<int> number(const Json* value) {
    return value != nullptr && value->is_number_integer() ? std::optional(value->get<int>()) : std::nullopt;
}

std::string profile_of(const Json& pod, const Json& container) {
    const Json* profile = security(pod, container, "appArmorProfile");
    const std::string_view type = profile == nullptr ? "RuntimeDefault" : string_at(*profile, {"type"});
    if (type == "Unconfined" || api::bool_at(object_at(container, {"securityContext"}), {"privileged"}))
        return "unconfined";
    return (type == "Localhost" ? std::string(string_at(*profile, {"localhostProfile"}))
                                : "cri-containerd.apparmor.d") +
           " (enforce)";
}

// `sh -c 'sleep 1h'` replaces itself by the one command that it is given.
std::string shown_command(std::vector<std::string> words) {
    const bool shell =
        words.size() == 3 && words[1] == "-c" && words[0].size() >= 2 && words[0].ends_with("sh");
    if (shell && words[2].find_first_of(";|&\n<>$`(){}") == std::string::npos) return words[2];
    return api::join(words, " ");
}

std::vector<std::string> words_of(const Json& container) {
    std::vector<std::string> words;
    for (const char* list : {"command", "args"})
        for (const Json& word : array_at(container, {list}))
            if (word.is_string()) words.push_back(word.get<std::string>());
    return words;
}

void add_tasks(const Json& container, const std::string& user, std::vector<Identity::Task>& tasks) {
    int next = tasks.empty() ? 1 : tasks.back().id + 7;
    const std::vector<std::string> words = words_of(container);
    const auto image = parse_image(string_at(container, {"image"}));
    const std::string_view name = image ? image->base_name() : std::string_view();
    if (name.substr(0, 5) == "nginx" && (words.empty() || words[0] == "nginx")) {
        tasks.push_back({next, user, "nginx: master process nginx -g daemon off;"});
        tasks.push_back({next + 28, "101", "nginx: worker process"});
        return;
    }
    std::string command = shown_command(words);
    if (name == "redis" && (words.empty() || words[0] == "redis-server")) command = "redis-server *:6379";
    if (command.empty()) {
        const bool shell = image && behaviour_of(*image).kind == ImageKind::shell;
        command = shell || !image ? "sh" : std::string(name);
    }
    tasks.push_back({next, user, std::move(command)});
}

std::string user_text(int user) {
    return user == 0 ? "root" : std::to_string(user);
}

std::string hosts_of(const Json& pod) {
    std::string text;
    for (const Json& alias : array_at(pod, {"spec", "hostAliases"})) {
        text += text.empty() ? "\n# Entries added by HostAliases.\n" : "";
        text += std::string(string_at(alias, {"ip"}));
        for (const Json& name : array_at(alias, {"hostnames"}))
            if (name.is_string()) text += "\t" + name.get<std::string>();
        text += "\n";
    }
    return text;
}

// pkg/kubelet/network/dns: what the policy gives, then what dnsConfig adds.
std::string resolver_of(const Json& pod, const std::string& dns_server) {
    const std::string_view policy = string_at(pod, {"spec", "dnsPolicy"}, "ClusterFirst");
    const bool on_host = api::bool_at(object_at(pod, {"spec"}), {"hostNetwork"}) && policy == "ClusterFirst";
    std::vector<std::string> servers, searches, options;
    if (policy == "Default" || on_host) {
        servers = {"172.18.0.1"};
        options = {"edns0", "trust-ad"};
    } else if (policy != "None") {
        const std::string space(api::namespace_of(pod));
        servers = {dns_server};
        searches = {space + ".svc.cluster.local", "svc.cluster.local", "cluster.local"};
        options = {"ndots:5"};
    }
    const Json& config = object_at(pod, {"spec", "dnsConfig"});
    const auto add = [](const Json& list, std::vector<std::string>& words) {
        for (const Json& word : list)
            if (word.is_string() &&
                std::find(words.begin(), words.end(), word.get<std::string>()) == words.end())
                words.push_back(word.get<std::string>());
    };
    add(array_at(config, {"nameservers"}), servers);
    add(array_at(config, {"searches"}), searches);
    for (const Json& option : array_at(config, {"options"})) {
        const std::string name(string_at(option, {"name"})), value(string_at(option, {"value"}));
        const auto same = std::find_if(options.begin(), options.end(), [&](const std::string& word) {
            return word == name || word.compare(0, name.size() + 1, name + ":") == 0;
        });
        const std::string word = value.empty() ? name : name + ":" + value;
        if (same == options.end())
            options.push_back(word);
        else
            *same = word;
    }
    std::string text;
    if (!searches.empty()) text += "search " + api::join(searches, " ") + "\n";
    for (const std::string& server : servers) text += "nameserver " + server + "\n";
    if (!options.empty()) text += "options " + api::join(options, " ") + "\n";
    return text;
}

std::string hosts_file(const Identity& self) {
    std::string text =
        "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
        "fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n";
    if (!self.pod_ip.empty()) {
        text += self.pod_ip + "\t" + (self.domain.empty() ? "" : self.host_name + "." + self.domain + "\t") +
                self.host_name + "\n";
    }
    return text + self.hosts;
}

std::string status_file(const Identity& self) {
    std::string groups;
    for (const int group : self.groups) groups += std::to_string(group) + " ";
    const auto four = [](int id) {
        std::string text;
        for (int i = 0; i < 4; ++i) text += "\t" + std::to_string(id);
        return text;
    };
    const auto set = [](std::string_view name, std::uint64_t bits) {
        char text[40];
        std::snprintf(text, sizeof text, "%.*s:\t%016llx\n", static_cast<int>(name.size()), name.data(),
                      static_cast<unsigned long long>(bits));
        return std::string(text);
    };
    const std::uint64_t effective = self.user == 0 ? self.capabilities : 0;
    const std::string command = self.tasks.empty() ? "sh" : self.tasks[0].command;
    std::string name = command.substr(0, command.find(' '));
    while (!name.empty() && name.back() == ':') name.pop_back();
    if (const auto slash = name.rfind('/'); slash != std::string::npos) name = name.substr(slash + 1);
    return "Name:\t" + name.substr(0, 15) +
           "\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t1\nNgid:\t0\nPid:\t1\nPPid:\t0\nTracerPid:\t0\n" +
           "Uid:" + four(self.user) + "\nGid:" + four(self.group) + "\nFDSize:\t64\nGroups:\t" + groups +
           "\n" + set("CapInh", 0) + set("CapPrm", effective) + set("CapEff", effective) +
           set("CapBnd", self.capabilities) + set("CapAmb", 0) + "NoNewPrivs:\t" +
           (self.no_new_privileges ? "1" : "0") + "\nSeccomp:\t0\nThreads:\t1\n";
}

std::string mounts_file(const Identity& self) {
    std::string text =
        "overlay / overlay rw,relatime 0 0\nproc /proc proc rw,nosuid,nodev,noexec,relatime 0 0\n"
        "tmpfs /dev tmpfs rw,nosuid,size=65536k,mode=755 0 0\nsysfs /sys sysfs "
        "ro,nosuid,nodev,noexec,relatime 0 0\n"
        "cgroup /sys/fs/cgroup cgroup2 ro,nosuid,nodev,noexec,relatime 0 0\n";
    for (const std::string& path : self.mount_points) {
        const bool token = path.find("/secrets/kubernetes.io/serviceaccount") != std::string::npos;
        text +=
            (token ? "tmpfs " + path + " tmpfs ro" : "/dev/vda1 " + path + " ext4 rw") + ",relatime 0 0\n";
    }
    for (const char* path : {"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"})
        text += "/dev/vda1 " + std::string(path) + " ext4 rw,relatime 0 0\n";
    return text;
}

std::string users_file(const Identity&) {
    return "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
           "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
           "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
}

std::string groups_file(const Identity& self) {
    std::string text =
        "root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\ntty:x:5:\nwww-data:x:33:\nusers:x:100:\nnogroup:x:65534:"
        "\n";
    // The image of the documentation's security contexts has a user with a group of its own.
    if (self.image.find("e2e-test-images/agnhost") != std::string::npos)
        text += "user-defined-in-image:x:1000:\ngroup-defined-in-image:x:50000:user-defined-in-image\n";
    return text;
}

std::string release_file(const Identity& self) {
    const auto image = parse_image(self.image);
    const std::string_view name = image ? image->base_name() : std::string_view();
    if (image && (name == "alpine" || image->tag.find("alpine") != std::string::npos))
        return "NAME=\"Alpine Linux\"\nID=alpine\nPRETTY_NAME=\"Alpine Linux v3.22\"\n";
    if (name == "ubuntu")
        return "PRETTY_NAME=\"Ubuntu 24.04 LTS\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"24.04\"\nID=ubuntu\n";
    return "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian "
           "GNU/Linux\"\nVERSION_ID=\"12\"\nID=debian\n";
}

using Writer = std::string (*)(const Identity&);

const std::map<std::string_view, Writer>& writers() {
    static const std::map<std::string_view, Writer> table = {
        {"/etc/hosts", hosts_file},
        {"/etc/hostname", [](const Identity& self) { return self.host_name + "\n"; }},
        {"/etc/resolv.conf", [](const Identity& self) { return self.resolver; }},
        {"/etc/passwd", users_file},
        {"/etc/group", groups_file},
        {"/etc/os-release", release_file},
        {"/proc/mounts", mounts_file},
        {"/proc/1/mounts", mounts_file},
        {"/proc/self/mounts", mounts_file},
        {"/proc/1/status", status_file},
        {"/proc/self/status", status_file},
        {"/proc/1/attr/current", [](const Identity& self) { return self.profile + "\n"; }},
        {"/proc/self/attr/current", [](const Identity& self) { return self.profile + "\n"; }},
        {"/proc/1/cmdline",
         [](const Identity& self) {
             std::string text = self.tasks.empty() ? "" : self.tasks[0].command;
             std::replace(text.begin(), text.end(), ' ', '\0');
             return text + '\0';
         }},
        {"/proc/self/uid_map",
         [](const Identity& self) {
             return std::string(self.own_user_namespace ? "         0  833617920      65536\n"
                                                        : "         0          0 4294967295\n");
         }},
        {"/proc/version",
         [](const Identity&) { return std::string("Linux version 6.1.0 (kubemu) #1 SMP\n"); }},
    };
    return table;
}

}  // namespace

std::string Identity::user_name() const {
    return user_text(user);
}

bool Identity::is_busybox() const {
    const auto reference = parse_image(image);
    if (!reference) return false;
    const std::string_view name = reference->base_name();
    return name == "busybox" || name == "alpine" || name.substr(0, 11) == "busyboxplus" ||
           reference->tag.find("alpine") != std::string::npos;
}

bool Identity::has_dash() const {
    const auto reference = parse_image(image);
    if (!reference || is_busybox()) return false;
    for (const char* debian : {"debian", "ubuntu", "nginx", "httpd", "redis", "postgres", "mysql", "python",
                               "node", "perl", "mongo"})
        if (reference->base_name().substr(0, std::string_view(debian).size()) == debian) return true;
    return false;
}

std::string name_server_of(const Identity& identity) {
    constexpr std::string_view entry = "nameserver ";
    const std::size_t at = identity.resolver.find(entry);
    if (at == std::string::npos) return "127.0.0.1";  // what resolvers take then
    const std::size_t begin = at + entry.size();
    return identity.resolver.substr(begin, identity.resolver.find('\n', begin) - begin);
}

Identity identity_of(const Json& pod, const Json& container, const std::string& pod_ip,
                     const std::string& host_name, const std::string& dns_server) {
    Identity self;
    self.host_name = host_name;
    self.pod_ip = pod_ip;
    self.node = string_at(pod, {"spec", "nodeName"});
    self.image = string_at(container, {"image"});
    if (const auto subdomain = string_at(pod, {"spec", "subdomain"}); !subdomain.empty())
        self.domain =
            std::string(subdomain) + "." + std::string(api::namespace_of(pod)) + ".svc.cluster.local";
    self.hosts = hosts_of(pod);
    self.resolver = resolver_of(pod, dns_server);
    self.user = number(security(pod, container, "runAsUser")).value_or(0);
    self.group = number(security(pod, container, "runAsGroup")).value_or(0);
    self.volume_group = number(api::find(object_at(pod, {"spec", "securityContext"}), "fsGroup"));
    self.groups = {self.group};
    if (self.volume_group) self.groups.push_back(*self.volume_group);
    for (const Json& group : array_at(pod, {"spec", "securityContext", "supplementalGroups"}))
        if (group.is_number_integer()) self.groups.push_back(group.get<int>());
    const bool merges =
        string_at(pod, {"spec", "securityContext", "supplementalGroupsPolicy"}, "Merge") == "Merge";
    if (merges && self.user == 1000 && self.image.find("e2e-test-images/agnhost") != std::string::npos)
        self.groups.push_back(50000);
    std::sort(self.groups.begin(), self.groups.end());
    self.groups.erase(std::unique(self.groups.begin(), self.groups.end()), self.groups.end());
    const Json& context = object_at(container, {"securityContext"});
    self.capabilities = capabilities_of(context);
    self.no_new_privileges = !api::bool_at(context, {"allowPrivilegeEscalation"}, true);
    self.own_user_namespace = !api::bool_at(object_at(pod, {"spec"}), {"hostUsers"}, true);
    self.profile = profile_of(pod, container);
    if (api::bool_at(object_at(pod, {"spec"}), {"shareProcessNamespace"})) {
        self.tasks.push_back({1, "65535", "/pause"});
        for (const Json& each : array_at(pod, {"spec", "containers"}))
            add_tasks(each, user_text(number(security(pod, each, "runAsUser")).value_or(0)), self.tasks);
    } else {
        add_tasks(container, user_text(self.user), self.tasks);
    }
    for (const Json& mount : array_at(container, {"volumeMounts"}))
        self.mount_points.emplace_back(string_at(mount, {"mountPath"}));
    return self;
}

std::optional<std::string> system_file(const Identity& identity, std::string_view path) {
    const auto found = writers().find(path);
    return found == writers().end() ? std::nullopt : std::optional(found->second(identity));
}

const std::vector<std::string_view>& system_paths() {
    static const std::vector<std::string_view> paths = [] {
        std::vector<std::string_view> all;
        for (const auto& entry : writers()) all.push_back(entry.first);
        return all;
    }();
    return paths;
}

}  // namespace kubemu::controllers::kubelet
