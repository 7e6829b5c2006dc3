// What a Pod costs on its way in and out, without HTTP and disk: decoded strictly, defaulted, encoded as it is stored;
// with "protobuf": from the text that is stored to Protocol Buffers.
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/codec/protobuf.h"
#include "api/schema/defaults.h"
#include "api/schema/type.h"

using namespace kubemu::api;

constexpr std::string_view pod = R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"default",
"labels":{"app":"web","tier":"front"}},"spec":{"containers":[{"name":"web","image":"nginx:1.25","ports":[{"containerPort":80}],
"env":[{"name":"MODE","value":"fast"},{"name":"POD_IP","valueFrom":{"fieldRef":{"fieldPath":"status.podIP"}}}],
"resources":{"requests":{"cpu":"100m","memory":"64Mi"},"limits":{"memory":"128Mi"}},
"readinessProbe":{"httpGet":{"path":"/ready","port":80}},"volumeMounts":[{"name":"config","mountPath":"/etc/web"}]}],
"volumes":[{"name":"config","configMap":{"name":"web"}}]}})";

constexpr int rounds = 20'000;

void report(std::chrono::steady_clock::time_point begin, std::size_t bytes) {
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    std::printf("%.1f us (%zu bytes)\n", took.count() / rounds, bytes);
}

int main(int argc, char**) {
    const TypeInfo& type = *find_type("core/v1.Pod");
    std::size_t bytes = 0;
    if (argc > 1) {
        std::vector<std::string> complaints;
        auto object = decode_json(pod, type, complaints);
        if (!object) return 1;
        apply_defaults(*object, type);
        const std::string stored = encode_object(*object, type, "v1", "Pod").text;
        ProtobufEncoder encoder;
        const auto begin = std::chrono::steady_clock::now();
        for (int i = 0; i < rounds; ++i) bytes = encoder.encode(stored, type).size();
        report(begin, bytes);
        return 0;
    }
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < rounds; ++i) {
        std::vector<std::string> complaints;
        auto object = decode_json(pod, type, complaints);
        if (!object || !complaints.empty()) return 1;
        apply_defaults(*object, type);
        bytes = encode_object(*object, type, "v1", "Pod").text.size();
    }
    report(begin, bytes);
    return 0;
}
