// TunnelDuplex: an api::Tunnel as the Duplex of its client's connection: bytes go through as they are.
#pragma once

#include "api/tunnel.h"
#include "server/streams/duplex.h"

namespace kubemu::server {

class TunnelDuplex final : public Duplex {
  public:
    // The tunnel outlives it.
    explicit TunnelDuplex(api::Tunnel& tunnel) : tunnel_(tunnel) {}

    void take(std::string_view bytes) override { tunnel_.input(bytes); }
    bool full() const override { return tunnel_.full(); }
    Step advance(std::string& out) override;
    void on_wake(std::function<void()> wake) override { tunnel_.on_wake(std::move(wake)); }

  private:
    api::Tunnel& tunnel_;
};

// The 101 answer with which the other side agreed, up to and including the empty line.
std::string tunnel_head(const api::Response& response);

}  // namespace kubemu::server
