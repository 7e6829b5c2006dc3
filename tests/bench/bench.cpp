// Workloads against a running kubemu; each prints one line "NAME VALUE UNIT".
//
// With "protobuf" as the last argument, creates, list and watchers use Protocol Buffers in both directions.
//
//   creates PORT CONNECTIONS COUNT     create COUNT ConfigMaps of 1 KB over so many connections
//   pods PORT COUNT                    create COUNT pods that nothing schedules (3 KB each when stored)
//   patches PORT CONNECTIONS COUNT     strategic merge patches of one pod a connection, each changing image and label
//   applies PORT CONNECTIONS COUNT     the same by server-side apply
//   openapi PORT                       the first answers of /openapi/v3 (apps/v1) and /openapi/v2
//   list PORT                          GET all pods, repeatedly for two seconds
//   watchers PORT WATCHERS EVENTS      EVENTS changes of one ConfigMap, each seen by WATCHERS watches
//   deployment PORT REPLICAS           from the creation of a Deployment until all its replicas are ready; with "keep"
//                                      at the end it stays, else also until the last of its pods is gone
//   cronjob PORT SCHEDULE              creates a CronJob, for what its runs take on a virtual clock
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/http_client.h"

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

std::string unique(const char* prefix) {
    return std::string(prefix) + "-" + std::to_string(Clock::now().time_since_epoch().count() % 1'000'000'000);
}

void must(const bench::Connection::Answer& answer, int code) {
    if (answer.code == code) return;
    std::fprintf(stderr, "expected %d, got %d: %s\n", code, answer.code, answer.body.substr(0, 300).c_str());
    std::exit(1);
}

constexpr const char* json_type = "application/json";
constexpr const char* protobuf_type = "application/vnd.kubernetes.protobuf";
const char* media_type(bool protobuf) { return protobuf ? protobuf_type : json_type; }

// A field of a Protocol Buffers message that is a text or a message.
std::string field(int number, std::string_view value) {
    std::string out(1, static_cast<char>(number << 3 | 2));
    std::size_t size = value.size();
    for (; size >= 0x80; size >>= 7) out += static_cast<char>(size | 0x80);
    out += static_cast<char>(size);
    return out += value;
}

std::string config_map(const std::string& name, const std::string& text, bool protobuf) {
    if (!protobuf) {
        return R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")" + name + R"("},"data":{"text":")" +
               text + "\"}}";
    }
    const std::string meta = field(1, field(1, "v1") + field(2, "ConfigMap"));
    return std::string("k8s\0", 4) + meta +
           field(2, field(1, field(1, name)) + field(2, field(1, "text") + field(2, text)));
}

void spread(int connections, int count, const std::function<void(bench::Connection&, int)>& work, std::uint16_t port,
            const char* accept = json_type) {
    std::atomic<int> next{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < connections; ++i) {
        threads.emplace_back([&] {
            bench::Connection connection(port, accept);
            for (int item; (item = next++) < count;) work(connection, item);
        });
    }
    for (std::thread& thread : threads) thread.join();
}

void creates(std::uint16_t port, int connections, int count, bool protobuf) {
    const std::string prefix = unique("c");
    const std::string filler(900, 'x');
    const auto begin = Clock::now();
    spread(
        connections, count,
        [&](bench::Connection& connection, int item) {
            must(connection.request("POST", "/api/v1/namespaces/default/configmaps",
                                    config_map(prefix + "-" + std::to_string(item), filler, protobuf),
                                    media_type(protobuf)),
                 201);
        },
        port, media_type(protobuf));
    std::printf("creates_%d_connections %.0f per second\n", connections, count / seconds_since(begin));
}

void pods(std::uint16_t port, int count) {
    const std::string prefix = unique("p");
    const auto begin = Clock::now();
    spread(8, count, [&](bench::Connection& connection, int item) {
        must(connection.request("POST", "/api/v1/namespaces/default/pods",
                                R"({"apiVersion":"v1","kind":"Pod","metadata":{"labels":{"app":"bench"},"name":")" + prefix + "-" +
                                    std::to_string(item) +
                                    R"("},"spec":{"schedulerName":"none","containers":[{"name":"c","image":"nginx:1.25"}]}})"),
             201);
    }, port);
    std::printf("pod_creates %.0f per second\n", count / seconds_since(begin));
}

// What is asked for once only: each document is made when somebody wants it.
void openapi(std::uint16_t port) {
    bench::Connection connection(port);
    for (const char* path : {"/openapi/v3/apis/apps/v1", "/openapi/v3/api/v1", "/openapi/v2"}) {
        const auto begin = Clock::now();
        const auto answer = connection.request("GET", path);
        must(answer, 200);
        std::printf("first%s %.1f ms (%.2f MB)\n", path, seconds_since(begin) * 1000, static_cast<double>(answer.body.size()) / 1e6);
    }
}

std::string pod_with(const std::string& name, const std::string& label, const std::string& tag) {
    return R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")" + name + R"(","labels":{"n":")" + label +
           R"("}},"spec":{"schedulerName":"none","containers":[{"name":"c","image":"nginx:1.)" + tag + R"("}]}})";
}

void patches(std::uint16_t port, int connections, int count, bool apply) {
    const std::string prefix = unique("m");
    const std::string pods = "/api/v1/namespaces/default/pods";
    std::atomic<int> next_pod{0};
    std::vector<std::string> names;
    for (int i = 0; i < connections; ++i) {
        names.push_back(prefix + "-" + std::to_string(i));
        bench::Connection connection(port);
        must(connection.request("POST", pods, pod_with(names.back(), "0", "0")), 201);
    }
    const auto begin = Clock::now();
    spread(connections, count, [&](bench::Connection& connection, int item) {
        thread_local const std::string name = names[static_cast<std::size_t>(next_pod++) % names.size()];
        const std::string n = std::to_string(item);
        if (apply) {
            must(connection.request("PATCH", pods + "/" + name + "?fieldManager=bench&force=true", pod_with(name, n, n),
                                    "application/apply-patch+yaml"), 200);
        } else {
            must(connection.request("PATCH", pods + "/" + name,
                                    R"({"metadata":{"labels":{"n":")" + n + R"("}},"spec":{"containers":[{"name":"c","image":"nginx:1.)" +
                                        n + "\"}]}}",
                                    "application/strategic-merge-patch+json"), 200);
        }
    }, port);
    std::printf("%s %.0f per second\n", apply ? "applies" : "strategic_merge_patches", count / seconds_since(begin));
}

void list(std::uint16_t port, bool protobuf) {
    bench::Connection connection(port, media_type(protobuf));
    int rounds = 0;
    std::size_t bytes = 0;
    const auto begin = Clock::now();
    while (seconds_since(begin) < 2) {
        const auto answer = connection.request("GET", "/api/v1/pods");
        must(answer, 200);
        bytes = answer.body.size();
        ++rounds;
    }
    std::printf("list_pods %.1f ms (%.1f MB)\n", seconds_since(begin) * 1000 / rounds, static_cast<double>(bytes) / 1e6);
}

void watchers(std::uint16_t port, int count, int events, bool protobuf) {
    const std::string name = unique("w");
    bench::Connection writer(port);
    must(writer.request("POST", "/api/v1/namespaces/default/configmaps",
                        R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")" + name + "\"}}"), 201);
    std::atomic<long> seen{0};
    std::vector<std::unique_ptr<bench::Connection>> streams;
    for (int i = 0; i < count; ++i) {
        streams.push_back(std::make_unique<bench::Connection>(port, media_type(protobuf)));
        streams.back()->open_stream("/api/v1/namespaces/default/configmaps?watch=1&fieldSelector=metadata.name%3D" + name);
    }
    const long expected = static_cast<long>(count) * events;
    const char* const event = protobuf ? "MODIFIED" : "\"type\":\"MODIFIED\"";
    std::vector<std::thread> readers;
    for (auto& stream : streams) {
        readers.emplace_back([&seen, events, event, s = stream.get()] {
            std::string part, tail;
            for (int mine = 0; mine < events && s->read_some(part);) {
                tail += part;
                std::size_t at = 0;
                for (std::size_t found; (found = tail.find(event, at)) != std::string::npos; at = found + 8) {
                    ++mine;
                    ++seen;
                }
                tail.erase(0, tail.size() > 20 ? std::max(at, tail.size() - 20) : 0);
            }
        });
    }
    const auto begin = Clock::now();
    for (int i = 0; i < events; ++i) {
        must(writer.request("PUT", "/api/v1/namespaces/default/configmaps/" + name,
                            R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")" + name + R"("},"data":{"n":")" +
                                std::to_string(i) + "\"}}"), 200);
    }
    while (seen < expected && seconds_since(begin) < 60) std::this_thread::yield();
    const double took = seconds_since(begin);
    std::printf("watch_events_to_%d_watchers %.0f per second\n", count, static_cast<double>(seen) / took);
    std::fflush(stdout);
    std::_Exit(seen == expected ? 0 : 1);  // the readers of slow streams are not waited for
}

void deployment(std::uint16_t port, int replicas, bool keep) {
    bench::Connection connection(port);
    const std::string name = unique("d");
    const std::string path = "/apis/apps/v1/namespaces/default/deployments";
    const auto begin = Clock::now();
    must(connection.request("POST", path,
                            R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":")" + name + R"("},"spec":{"replicas":)" +
                                std::to_string(replicas) + R"(,"selector":{"matchLabels":{"app":")" + name +
                                R"("}},"template":{"metadata":{"labels":{"app":")" + name +
                                R"("}},"spec":{"containers":[{"name":"c","image":"nginx:1.25"}]}}}})"),
         201);
    bench::Connection watch(port);
    watch.open_stream(path + "?watch=1&fieldSelector=metadata.name%3D" + name);
    const std::string wanted = "\"readyReplicas\":" + std::to_string(replicas) + ",";
    std::string part, text;
    while (text.find(wanted) == std::string::npos && watch.read_some(part)) text = text.substr(text.size() > 64 ? text.size() - 64 : 0) + part;
    const double ready = seconds_since(begin);
    std::printf("deployment_%d_ready %.2f s\n", replicas, ready);
    if (keep) return;
    const auto deletion = Clock::now();
    must(connection.request("DELETE", path + "/" + name), 200);
    while (connection.request("GET", "/api/v1/namespaces/default/pods?limit=1&labelSelector=app%3D" + name).body.find("\"items\":[]") ==
           std::string::npos) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    std::printf("deployment_%d_gone %.2f s\n", replicas, seconds_since(deletion));
}

void cronjob(std::uint16_t port, const std::string& schedule) {
    bench::Connection connection(port);
    must(connection.request("POST", "/apis/batch/v1/namespaces/default/cronjobs",
                            R"({"apiVersion":"batch/v1","kind":"CronJob","metadata":{"name":"bench"},"spec":{"schedule":")" + schedule +
                                R"(","jobTemplate":{"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"busybox","command":["true"]}]}}}}}})"),
         201);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    const std::string what = argv[1];
    const auto port = static_cast<std::uint16_t>(std::atoi(argv[2]));
    const auto number = [&](int index) { return index < argc ? std::atoi(argv[index]) : 1; };
    const bool protobuf = std::string(argv[argc - 1]) == "protobuf";
    if (what == "creates") creates(port, number(3), number(4), protobuf);
    else if (what == "pods") pods(port, number(3));
    else if (what == "patches") patches(port, number(3), number(4), false);
    else if (what == "applies") patches(port, number(3), number(4), true);
    else if (what == "openapi") openapi(port);
    else if (what == "list") list(port, protobuf);
    else if (what == "watchers") watchers(port, number(3), number(4), protobuf);
    else if (what == "deployment") deployment(port, number(3), std::string(argv[argc - 1]) == "keep");
    else if (what == "cronjob" && argc > 3) cronjob(port, argv[3]);
    else return 2;
    return 0;
}
