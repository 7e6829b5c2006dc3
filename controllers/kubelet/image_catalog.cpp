// The catalog's data. Tags of an image that is listed are ranges of versions; others are taken to exist.
#include "controllers/kubelet/image_catalog.h"

#include <algorithm>
#include <cstdint>
#include <array>
#include <charconv>

#include "api/values/text.h"

namespace kubemu::controllers::kubelet {
namespace {

// major.minor, and the patches that were published: from..to.
struct Release {
    std::string_view image;
    int major, minor, first_patch, last_patch;
};

// The releases of nginx on Docker Hub; its tags may carry a suffix such as -alpine or -perl.
constexpr Release nginx_releases[] = {
    {"nginx", 1, 7, 1, 12},  {"nginx", 1, 8, 0, 1},   {"nginx", 1, 9, 0, 15},  {"nginx", 1, 10, 0, 3}, {"nginx", 1, 11, 0, 13},
    {"nginx", 1, 12, 0, 2},  {"nginx", 1, 13, 0, 12}, {"nginx", 1, 14, 0, 2},  {"nginx", 1, 15, 0, 12}, {"nginx", 1, 16, 0, 1},
    {"nginx", 1, 17, 0, 10}, {"nginx", 1, 18, 0, 0},  {"nginx", 1, 19, 0, 10}, {"nginx", 1, 20, 0, 2}, {"nginx", 1, 21, 0, 6},
    {"nginx", 1, 22, 0, 1},  {"nginx", 1, 23, 0, 4},  {"nginx", 1, 24, 0, 0},  {"nginx", 1, 25, 0, 5}, {"nginx", 1, 26, 0, 3},
    {"nginx", 1, 27, 0, 5},  {"nginx", 1, 28, 0, 3},  {"nginx", 1, 29, 0, 8},
};

struct Listed {
    std::string_view base;
    ImageKind kind;
    std::array<int, 2> ports;
    std::string_view text;
};

constexpr std::string_view nginx_text =
    "/docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform configuration\n"
    "/docker-entrypoint.sh: Looking for shell scripts in /docker-entrypoint.d/\n"
    "/docker-entrypoint.sh: Launching /docker-entrypoint.d/10-listen-on-ipv6-by-default.sh\n"
    "/docker-entrypoint.sh: Configuration complete; ready for start up\n";
constexpr std::string_view hello_text =
    "\nHello from Docker!\nThis message shows that your installation appears to be working correctly.\n\n";

constexpr Listed listed[] = {
    {"nginx", ImageKind::server, {80, 0}, nginx_text},
    {"httpd", ImageKind::server, {80, 0}, "[mpm_event:notice] AH00489: Apache/2.4 (Unix) configured -- resuming normal operations\n"},
    {"redis", ImageKind::server, {6379, 0}, "* Server initialized\n* Ready to accept connections tcp\n"},
    {"postgres", ImageKind::server, {5432, 0}, "LOG:  database system is ready to accept connections\n"},
    {"mysql", ImageKind::server, {3306, 33060}, "[System] [Server] /usr/sbin/mysqld: ready for connections.\n"},
    {"mariadb", ImageKind::server, {3306, 0}, "[Note] mariadbd: ready for connections.\n"},
    {"mongo", ImageKind::server, {27017, 0}, "{\"msg\":\"Waiting for connections\",\"attr\":{\"port\":27017}}\n"},
    {"memcached", ImageKind::server, {11211, 0}, ""},
    {"rabbitmq", ImageKind::server, {5672, 0}, "Server startup complete\n"},
    {"cassandra", ImageKind::server, {9042, 7000}, "Starting listening for CQL clients on /0.0.0.0:9042\n"},
    {"traefik", ImageKind::server, {80, 8080}, "level=info msg=\"Starting provider aggregator\"\n"},
    {"pause", ImageKind::server, {0, 0}, ""},
    {"registry", ImageKind::server, {5000, 0}, "level=info msg=\"listening on [::]:5000\"\n"},
    {"http-echo", ImageKind::server, {5678, 0}, "Server is listening on :5678\n"},
    {"echoserver", ImageKind::server, {8080, 0}, ""},
    {"kubernetes-bootcamp", ImageKind::server, {8080, 0}, "Kubernetes Bootcamp App Started\n"},
    {"hello-app", ImageKind::server, {8080, 0}, "Server listening on port 8080\n"},
    {"hello-go-gke", ImageKind::server, {80, 0}, ""},
    {"hpa-example", ImageKind::server, {80, 0}, ""},
    {"nginx-slim", ImageKind::server, {80, 0}, ""},
    {"whoami", ImageKind::server, {80, 0}, "Starting up on port 80\n"},
    {"agnhost", ImageKind::server, {0, 0}, ""},
    {"fluentd", ImageKind::server, {24224, 0}, "[info]: fluentd worker is now running worker=0\n"},
    {"busybox", ImageKind::shell, {0, 0}, ""},
    {"alpine", ImageKind::shell, {0, 0}, ""},
    {"ubuntu", ImageKind::shell, {0, 0}, ""},
    {"debian", ImageKind::shell, {0, 0}, ""},
    {"centos", ImageKind::shell, {0, 0}, ""},
    {"fedora", ImageKind::shell, {0, 0}, ""},
    {"bash", ImageKind::shell, {0, 0}, ""},
    {"python", ImageKind::shell, {0, 0}, ""},
    {"perl", ImageKind::shell, {0, 0}, ""},
    {"node", ImageKind::shell, {0, 0}, ""},
    {"golang", ImageKind::shell, {0, 0}, ""},
    {"curl", ImageKind::shell, {0, 0}, ""},
    {"hello-world", ImageKind::message, {0, 0}, hello_text},
};

bool starts_number(std::string_view text, int& value, std::string_view& rest) {
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ec != std::errc()) return false;
    rest = text.substr(static_cast<std::size_t>(result.ptr - text.data()));
    return true;
}

bool nginx_has(std::string_view tag) {
    const std::string_view version = tag.substr(0, tag.find('-'));
    int major = 0, minor = 0, patch = 0;
    std::string_view rest;
    if (!starts_number(version, major, rest)) return true;  // latest, stable, mainline, alpine...
    if (rest.empty()) return major == 1;
    if (rest[0] != '.' || !starts_number(rest.substr(1), minor, rest)) return false;
    for (const Release& release : nginx_releases) {
        if (release.major != major || release.minor != minor) continue;
        if (rest.empty()) return true;
        return rest[0] == '.' && starts_number(rest.substr(1), patch, rest) && rest.empty() &&
               patch >= release.first_patch && patch <= release.last_patch;
    }
    return false;
}

bool valid_path(std::string_view path) {
    if (path.empty()) return false;
    char before = '/';
    for (const char c : path) {
        const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!alphanumeric && c != '.' && c != '_' && c != '-' && c != '/') return false;
        if (c == '/' && before == '/') return false;
        before = c;
    }
    return before != '/' && before != '.' && before != '-' && before != '_';
}

}  // namespace

std::string ImageReference::text() const {
    return repository + (tag.empty() ? "" : ":" + tag) + (digest.empty() ? "" : "@" + digest);
}

std::string_view ImageReference::base_name() const {
    const std::string_view all = repository;
    const auto slash = all.rfind('/');
    return slash == all.npos ? all : all.substr(slash + 1);
}

std::optional<ImageReference> parse_image(std::string_view image) {
    ImageReference result;
    if (const auto at = image.find('@'); at != image.npos) {
        result.digest = image.substr(at + 1);
        const auto colon = result.digest.find(':');
        if (colon == std::string::npos || result.digest.size() - colon - 1 < 32) return std::nullopt;
        image = image.substr(0, at);
    }
    const auto slash = image.rfind('/');
    const auto colon = image.find(':', slash == image.npos ? 0 : slash);
    if (colon != image.npos) {
        result.tag = image.substr(colon + 1);
        image = image.substr(0, colon);
        if (result.tag.empty() || result.tag.size() > 128) return std::nullopt;
        for (std::size_t i = 0; i < result.tag.size(); ++i) {
            const char c = result.tag[i];
            const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
            if (!word && (i == 0 || (c != '.' && c != '-'))) return std::nullopt;
        }
    } else if (result.digest.empty()) {
        result.tag = "latest";
    }
    const auto first = image.find('/');
    const std::string_view domain = first == image.npos ? std::string_view() : image.substr(0, first);
    const bool has_domain = domain.find_first_of(".:") != domain.npos || domain == "localhost";
    const std::string_view path = has_domain ? image.substr(first + 1) : image;
    if (!valid_path(path)) return std::nullopt;
    if (has_domain) result.repository = std::string(image);
    else result.repository = (first == image.npos ? "docker.io/library/" : "docker.io/") + std::string(image);
    return result;
}

// FNV-1a, stirred again for each further block; enough to look like a digest and to differ.
std::string hex_digits(std::string_view seed, int length) {
    std::uint64_t state = 1469598103934665603U;
    for (const char c : seed) state = (state ^ static_cast<unsigned char>(c)) * 1099511628211U;
    std::string digits;
    while (static_cast<int>(digits.size()) < length) {
        state += 0x9e3779b97f4a7c15U;
        std::uint64_t block = state;
        block = (block ^ (block >> 30)) * 0xbf58476d1ce4e5b9U;
        block = (block ^ (block >> 27)) * 0x94d049bb133111ebU;
        block ^= block >> 31;
        for (int i = 0; i < 16; ++i, block >>= 4) digits += "0123456789abcdef"[block & 15];
    }
    digits.resize(static_cast<std::size_t>(length));
    return digits;
}

std::string image_digest(const ImageReference& image) {
    return image.digest.empty() ? "sha256:" + hex_digits(image.text(), 64) : image.digest;
}

std::int64_t image_bytes(const ImageReference& image) {
    const std::string digits = hex_digits("size " + image.text(), 6);
    std::int64_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    return (image.base_name() == "busybox" || image.base_name() == "alpine" ? 2'000'000 : 40'000'000) + value;
}

std::optional<std::string> pull_error(const ImageReference& image) {
    const bool refused_name = image.repository.find("does-not-exist") != std::string::npos ||
                              image.repository.find("nonexist") != std::string::npos ||
                              image.repository.find("non-exist") != std::string::npos ||
                              image.repository.find("invalid.registry") != std::string::npos;
    const bool missing_tag = image.tag == "404" || image.tag.find("does-not-exist") != std::string::npos ||
                             image.tag.find("nonexist") != std::string::npos || image.tag.find("non-exist") != std::string::npos ||
                             (image.repository == "docker.io/library/nginx" && !image.tag.empty() && !nginx_has(image.tag));
    const std::string text = image.text();
    const std::string prefix = "failed to pull and unpack image \"" + text + "\": failed to resolve reference \"" + text + "\": ";
    if (refused_name) {
        return "rpc error: code = Unknown desc = " + prefix +
               "pull access denied, repository does not exist or may require authorization: server message: "
               "insufficient_scope: authorization failed";
    }
    if (missing_tag) return "rpc error: code = NotFound desc = " + prefix + text + ": not found";
    return std::nullopt;
}

ImageBehaviour behaviour_of(const ImageReference& image) {
    for (const Listed& entry : listed) {
        if (entry.base != image.base_name()) continue;
        ImageBehaviour result{entry.kind, std::string(entry.text), {}};
        for (const int port : entry.ports)
            if (port != 0) result.ports.push_back(port);
        return result;
    }
    return {};
}

std::chrono::nanoseconds request_cost(std::string_view base_name) {
    // The example of the autoscaler's documentation adds a million square roots.
    return std::chrono::milliseconds(base_name == "hpa-example" ? 80 : 1);
}

std::optional<int> stop_code_of_image(std::string_view base_name, std::string_view argument) {
    // A Go program without a handler of its own gives up with 2, a Java program runs its hooks and reports the signal.
    constexpr int go = 2, java = 128 + 15;
    if (base_name == "kubernetes-bootcamp") return std::nullopt;  // node, as the first process
    if (base_name == "agnhost" && (argument.empty() || argument == "pause")) return 0;
    if (base_name == "agnhost" && argument == "serve-hostname") return std::nullopt;  // it waits a minute for its end
    if (base_name == "cassandra") return java;
    for (const std::string_view name : {"agnhost", "liveness", "hello-app", "hello-go-gke", "registry", "whoami"})
        if (base_name == name) return go;
    return 0;
}

std::optional<int> stop_code_of_program(std::string_view name) {
    if (name == "java") return 128 + 15;
    const std::string_view plain = name.substr(0, name.find_first_of("0123456789."));
    for (const std::string_view interpreter : {"node", "nodejs", "npm", "npx", "yarn", "python", "pypy", "php", "lua", "perl", "Rscript"})
        if (plain == interpreter) return std::nullopt;
    return 0;
}

}  // namespace kubemu::controllers::kubelet
