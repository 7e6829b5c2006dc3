// Looks up the container that is meant, and gives it the environment and the files that a command sees.
#include "controllers/kubelet/container_streams.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/kinds/views.h"
#include "api/values/text.h"
#include "controllers/kubelet/http_endpoint.h"
#include "controllers/kubelet/image_catalog.h"
#include "controllers/kubelet/pod_worker.h"
#include "controllers/kubelet/remote_commands.h"

namespace kubemu::controllers::kubelet {

using api::Json;
using api::string_at;

namespace {

std::string_view base_of(std::string_view path) { return path.substr(path.rfind('/') == path.npos ? 0 : path.rfind('/') + 1); }

std::vector<std::string> words_of(const Json& container) {
    std::vector<std::string> words;
    for (const char* list : {"command", "args"})
        for (const Json& word : api::array_at(container, {list}))
            if (word.is_string()) words.push_back(word.get<std::string>());
    return words;
}

const Json* container_named(const Json& pod, std::string_view name) {
    for (const char* list : {"containers", "initContainers", "ephemeralContainers"})
        for (const Json& container : api::array_at(pod, {"spec", list}))
            if (string_at(container, {"name"}) == name) return &container;
    return nullptr;
}

void equip(ContainerRun& run, LogStore& logs, const Json& pod, const Json& container, const api::Registry& registry) {
    run.equip([&](ProcessContext& context) { fill_context(context, pod, container, registry, logs); });
}

// Why the program cannot be started, in the words of containerd and runc; empty when it can.
std::string start_error(const std::vector<std::string>& argv, const ProcessContext& context, std::string_view image,
                        std::string_view seed) {
    std::string why;
    if (argv.empty()) {
        why = "args must not be empty";
    } else {
        const std::string& program = argv[0];
        const bool rooted = !program.empty() && program.find('/') != std::string::npos;
        if (rooted && context.files->read(program)) return {};
        if (image_has(image, base_of(program))) return {};
        why = "exec failed: unable to start container process: exec: " + api::go_quote(program) + ": ";
        if (rooted && context.files->is_directory(program)) why += "is a directory";
        else why += rooted ? "stat " + program + ": no such file or directory" : "executable file not found in $PATH";
    }
    const std::string id = hex_digits(std::string(seed) + api::join(argv, " "), 64);
    return "failed to exec in container: failed to start exec \"" + id + "\": OCI runtime exec failed: " + why + ": unknown";
}

// Where the test image of Kubernetes listens for HTTP; 0: nowhere.
int agnhost_port(const std::vector<std::string>& words) {
    std::size_t first = 0;
    if (!words.empty() && base_of(words[0]) == "agnhost") first = 1;
    const std::string mode = first < words.size() ? words[first] : "pause";
    for (const std::string& word : words)
        for (const std::string_view flag : {"--http-port=", "--port="})
            if (word.compare(0, flag.size(), flag) == 0) return std::atoi(word.c_str() + flag.size());
    return mode == "netexec" || mode == "liveness" ? 8080
           : mode == "serve-hostname"              ? 9376
           : mode == "test-webserver"              ? 80
                                                   : 0;
}

bool listens_on(const Json& container, int port) {
    for (const Json& declared : api::array_at(container, {"ports"})) {
        if (api::int_at(declared, {"containerPort"}) == port && string_at(declared, {"protocol"}, "TCP") == "TCP") return true;
    }
    const auto image = parse_image(string_at(container, {"image"}));
    if (!image) return false;
    const std::vector<std::string> words = words_of(container);
    if (image->base_name() == "agnhost") return agnhost_port(words) == port;
    // With arguments of its own a server is still that server; another command is another program.
    const bool own = words.empty() || (api::array_at(container, {"command"}).empty() && !is_known_program(words[0]));
    const std::vector<int> known = own ? behaviour_of(*image).ports : std::vector<int>();
    return std::find(known.begin(), known.end(), port) != known.end();
}

// The annotation kubemu.io/http, of one container kubemu.io/http.NAME.
std::optional<std::string> fixed_page(const Json& pod, std::string_view container) {
    const Json& annotations = api::object_at(pod, {"metadata", "annotations"});
    for (const std::string& name : {"kubemu.io/http." + std::string(container), std::string("kubemu.io/http")}) {
        const auto found = annotations.find(name);
        if (found != annotations.end() && found->is_string()) return found->get<std::string>();
    }
    return std::nullopt;
}

PageServer page_server(const Json& pod, const Json& container) {
    PageServer server;
    server.image = string_at(container, {"image"});
    server.container = string_at(container, {"name"});
    server.pod = api::name_of(pod);
    server.pod_namespace = api::namespace_of(pod);
    server.pod_ip = string_at(pod, {"status", "podIP"});
    server.node = string_at(pod, {"spec", "nodeName"});
    server.args = words_of(container);
    server.fixed = fixed_page(pod, server.container);
    return server;
}

}  // namespace

std::optional<Page> page_within(const api::Registry& registry, LogStore& logs, const Json& pod, int port,
                                const PageRequest& request, Time now) {
    const std::string uid(api::uid_of(pod));
    for (const char* list : {"containers", "initContainers"}) {
        for (const Json& container : api::array_at(pod, {"spec", list})) {
            if (!listens_on(container, port)) continue;
            const ContainerRunPtr run = logs.current(uid, std::string(string_at(container, {"name"})));
            if (run == nullptr) continue;
            PageServer server = page_server(pod, container);
            server.now = now;
            const auto fill = [&](ProcessContext& context) {
                fill_context(context, pod, container, registry, logs);
                server.file = [files = context.files](const std::string& path) { return files->read(path); };
            };
            const auto alive = [&]() KUBEMU_THREAD_ATTRIBUTE(no_thread_safety_analysis) {
                return run->equip_held(fill);
            };
            if (alive()) return page_of(server, request);
        }
    }
    return std::nullopt;
}

bool image_has(std::string_view image, std::string_view program) {
    const auto reference = parse_image(image);
    if (reference) {
        for (const char* bare : {"pause", "hello-world", "whoami", "coredns"})
            if (reference->base_name() == bare) return false;
        if (reference->repository.find("distroless") != std::string::npos) return false;
        const bool small = reference->base_name() == "busybox" || reference->base_name() == "alpine" ||
                           reference->tag.find("alpine") != std::string::npos;
        if (small && program == "bash") return false;
        if (program.substr(0, 6) == "python") return reference->base_name() == "python";
        for (const char* own : {"stress", "agnhost"})
            if (program == own) return reference->base_name() == own;
    }
    return is_known_program(program);
}

std::string default_shell(std::string_view image) {
    const auto reference = parse_image(image);
    for (const char* name : {"ubuntu", "debian", "centos", "fedora", "bash"})
        if (reference && reference->base_name() == name) return "bash";
    return "sh";
}

std::shared_ptr<const Conversation> conversation_of(const Json& pod, const Json& container, const std::vector<std::string>& argv,
                                                    bool in, bool tty) {
    auto made = std::make_shared<Conversation>();
    made->in = in;
    made->tty = tty;
    made->strict = true;
    const std::string image(string_at(container, {"image"}));
    const bool root = identity_of(pod, container, {}, {}, {}).user == 0;
    const bool bash = !argv.empty() && base_of(argv[0]) == "bash";
    const std::string sign = root ? "# " : "$ ";
    made->prompt = bash ? (root ? "root" : "I have no name!") + std::string("@\\h:\\w") + sign
                   : image_has(image, "bash") ? sign
                                              : "\\w " + sign;
    return made;
}

Result<std::unique_ptr<api::RemoteCommand>, api::PodStreams::Refusal> ContainerStreams::open(const api::CommandQuery& query) {
    const api::Registry& registry = options_.manager.registry();
    const Json pod = registry.document(*query.pod);
    const Json* container = container_named(pod, query.container);
    const std::string uid(api::uid_of(pod));
    const ContainerRunPtr run = options_.logs.current(uid, query.container);
    const Time now = options_.manager.clock().now();
    if (container == nullptr || run == nullptr || run->ended(now)) {
        const std::string full_name = std::string(api::name_of(pod)) + "_" + std::string(api::namespace_of(pod));
        return Refusal{500, query.attach ? "container " + query.container + " not found in pod " + full_name
                                         : "container not found (" + api::go_quote(query.container) + ")"};
    }
    const auto changed = [changed = options_.changed, key = query.pod->key] { changed(key); };
    if (query.attach) {
        const AttachedInput input{query.in && api::bool_at(*container, {"stdin"}), api::bool_at(*container, {"stdinOnce"})};
        return make_attach(run, input, options_.manager, changed);
    }
    options_.logs.advance_others(uid, query.container, now);
    equip(*run, options_.logs, pod, *container, registry);
    ProcessContext context;
    run->equip([&](ProcessContext& own) { context = own; });
    run->touch();
    const std::string_view image = string_at(*container, {"image"});
    if (std::string why = start_error(query.command, context, image, uid); !why.empty()) return make_failed_exec(std::move(why));
    context = beside(context, query.command, now);
    context.conversation = conversation_of(pod, *container, query.command, query.in, query.tty);
    return make_exec(run, make_interpreted_process(std::move(context)), options_.manager, changed);
}

std::optional<api::PodStreams::Refusal> ContainerStreams::refuse_ports(const storage::RecordPtr& pod) {
    const api::PodView& view = api::pod_view_of(*pod);
    if (options_.logs.runs(view.uid)) return std::nullopt;
    return Refusal{500, "pod not found (" + api::go_quote(view.name + "_" + view.namespace_name) + ")"};
}

Result<std::unique_ptr<api::PortConnection>, std::string> ContainerStreams::dial(const storage::RecordPtr& record, int port) {
    const api::Registry& registry = options_.manager.registry();
    const api::PodView& view = api::pod_view_of(*record);
    const auto current = registry.get("pods", view.namespace_name, view.name);
    if (current == nullptr || api::pod_view_of(*current).uid != view.uid) {
        return "failed to find sandbox \"" + hex_digits(view.uid, 64) + "\" in store: not found";
    }
    const Json pod = registry.document(*current);
    const Time now = options_.manager.clock().now();
    for (const char* list : {"containers", "initContainers"}) {
        for (const Json& container : api::array_at(pod, {"spec", list})) {
            const ContainerRunPtr run = options_.logs.current(view.uid, std::string(string_at(container, {"name"})));
            if (run == nullptr || run->ended(now) || !listens_on(container, port)) continue;
            equip(*run, options_.logs, pod, container, registry);
            PageServer server = page_server(pod, container);
            server.file = [run](const std::string& path) {
                std::optional<std::string> content;
                run->equip([&](ProcessContext& context) { content = context.files->read(path); });
                return content;
            };
            const auto answer = [server, run, &logs = options_.logs, uid = view.uid,
                                 &manager = options_.manager](const PageRequest& request) {
                PageServer asked = server;
                asked.now = manager.clock().now();
                logs.advance_others(uid, asked.container, asked.now);
                return page_of(asked, request);
            };
            return make_http_connection(answer);
        }
    }
    const std::string number = std::to_string(port), sandbox = hex_digits("sandbox " + view.uid, 64);
    return "failed to execute portforward in network namespace \"/var/run/netns/cni-" + hex_digits("netns " + view.uid, 32) +
           "\": failed to connect to localhost:" + number + " inside namespace \"" + sandbox + "\", IPv4: dial tcp4 127.0.0.1:" +
           number + ": connect: connection refused IPv6 dial tcp6 [::1]:" + number + ": connect: connection refused ";
}

}  // namespace kubemu::controllers::kubelet
