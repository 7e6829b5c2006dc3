// The words by which header blocks are compressed (SPDY/3 draft, section 2.6.10.1).
#include "server/spdy/header_block.h"

namespace kubemu::server::spdy {
namespace {

// Each stands in the dictionary behind its length in four bytes.
constexpr std::string_view words[] = {
    "options", "head", "post", "put", "delete", "trace", "accept", "accept-charset", "accept-encoding",
    "accept-language", "accept-ranges", "age", "allow", "authorization", "cache-control", "connection",
    "content-base", "content-encoding", "content-language", "content-length", "content-location", "content-md5",
    "content-range", "content-type", "date", "etag", "expect", "expires", "from", "host", "if-match",
    "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "last-modified", "location",
    "max-forwards", "pragma", "proxy-authenticate", "proxy-authorization", "range", "referer", "retry-after",
    "server", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "vary", "via", "warning",
    "www-authenticate", "method", "get", "status", "200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie",
    "keep-alive", "origin"};

// What follows them has no lengths.
constexpr std::string_view rest =
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authorit"
    "ative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Fo"
    "und500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept"
    " Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gi"
    "f,application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchc"
    "harset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

std::string make_dictionary() {
    std::string made;
    for (const std::string_view word : words) {
        made += {'\0', '\0', '\0', static_cast<char>(word.size())};
        made += word;
    }
    return made += rest;
}

}  // namespace

const std::string& header_dictionary() {
    static const std::string dictionary = make_dictionary();
    return dictionary;
}

}  // namespace kubemu::server::spdy
