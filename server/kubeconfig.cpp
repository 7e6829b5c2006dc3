// The kubeconfig text; see the header.
#include "server/kubeconfig.h"

namespace kubemu::server {

std::string kubeconfig_text(std::string_view server) {
    std::string text = "apiVersion: v1\nkind: Config\nclusters:\n- name: kubemu\n  cluster:\n    server: ";
    text += server;
    text +=
        "\nusers:\n- name: kubemu\n  user: {}\ncontexts:\n- name: kubemu\n  context:\n    cluster: kubemu\n"
        "    user: kubemu\ncurrent-context: kubemu\n";
    return text;
}

}  // namespace kubemu::server
