// Image catalog: which images and tags a simulated registry has, and what the well-known ones do.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kubemu::controllers::kubelet {

// "nginx:1.25" is docker.io/library/nginx:1.25, as containerd expands it.
struct ImageReference {
    std::string repository;  // docker.io/library/nginx
    std::string tag;         // empty when there is only a digest
    std::string digest;      // sha256:...

    std::string text() const;
    // The last part of the repository: "nginx".
    std::string_view base_name() const;
};

// Nothing when the text is no reference (InvalidImageName).
std::optional<ImageReference> parse_image(std::string_view image);
// Made from the reference, the same in every run: "sha256:<64 hex digits>".
std::string image_digest(const ImageReference& image);
std::int64_t image_bytes(const ImageReference& image);
// `length` hex digits made from `seed`.
std::string hex_digits(std::string_view seed, int length);

// The runtime's error when the image cannot be had; nothing when it can.
std::optional<std::string> pull_error(const ImageReference& image);

enum class ImageKind {
    server,   // runs for ever without a command
    shell,    // its command is a shell that finds no input and ends
    message,  // prints a text and ends
    unknown,
};
struct ImageBehaviour {
    ImageKind kind = ImageKind::unknown;
    std::string text;        // what it prints when it starts
    std::vector<int> ports;  // it listens there although no port is declared
};
ImageBehaviour behaviour_of(const ImageReference& image);

// Where the images of web servers keep what they serve.
inline constexpr std::string_view nginx_root = "/usr/share/nginx/html", httpd_root = "/usr/local/apache2/htdocs";

// The CPU time that the server of an image takes for an HTTP request.
std::chrono::nanoseconds request_cost(std::string_view base_name);

// What the own program of an image exits with when it is asked to end, as the first process of a container and by the
// signal that the image names (STOPSIGNAL); `argument` is its first. Nothing: it takes no notice and is killed in the end.
std::optional<int> stop_code_of_image(std::string_view base_name, std::string_view argument);
// The same of a program by its name. Those that nobody knows are taken to handle SIGTERM.
std::optional<int> stop_code_of_program(std::string_view name);

}  // namespace kubemu::controllers::kubelet
