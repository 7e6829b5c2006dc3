// Tunnel: a connection that has left HTTP for a protocol which this server does not speak, only passes on.
#pragma once

#include <string_view>

#include "api/request.h"

namespace kubemu::api {

// The answer to the request has the code 101 and the headers with which the other side agreed; next() gives what it says.
class Tunnel : public Stream {
  public:
    virtual void input(std::string_view bytes) = 0;
    // The client says nothing more.
    virtual void input_closed() = 0;
    // More should not be read from the client for the moment; the wake function is called when that has changed.
    virtual bool full() const { return false; }
};

}  // namespace kubemu::api
