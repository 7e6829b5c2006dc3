// What is put together of encoded objects: lists and events of watches. The objects themselves are shared, not copied.
#include <array>
#include <cstdint>

#include "api/codec/protobuf.h"
#include "api/codec/protobuf_buffer.h"

namespace kubemu::api {

std::string_view protobuf_message(std::string_view enveloped) {
    const auto opened = open_protobuf(enveloped);
    return opened ? opened->raw : std::string_view();
}

Scatter encode_protobuf_list(const ProtobufList& list) {
    static const TypeInfo& list_meta = *find_type("meta/v1.ListMeta");
    BackwardBuffer metadata;
    metadata.text(static_cast<std::uint32_t>(list.metadata_number),
                  ProtobufEncoder().encode_message(list.metadata, list_meta));
    const Slice about = Slice::of(metadata.bytes());

    // What stands before each item, all in one text.
    std::string heads;
    std::vector<std::size_t> ends;
    ends.reserve(list.items.size());
    std::size_t size = about.text.size();
    BackwardBuffer head;
    for (const Slice& item : list.items) {
        head.clear();
        head.varint(item.text.size());
        head.tag(static_cast<std::uint32_t>(list.items_number), bytes_wire);
        heads += head.bytes();
        ends.push_back(heads.size());
        size += item.text.size();
    }
    size += heads.size();
    const Bytes shared_heads = make_bytes(std::move(heads));

    BackwardBuffer envelope;
    close_envelope(envelope, list.api_version, list.kind, size);
    Scatter parts;
    parts.reserve(2 * list.items.size() + 3);
    parts.push_back(Slice::of(envelope.bytes()));
    if (list.metadata_number < list.items_number) parts.push_back(about);
    std::size_t begin = 0;
    for (std::size_t i = 0; i < list.items.size(); ++i) {
        parts.emplace_back(std::string_view(*shared_heads).substr(begin, ends[i] - begin), shared_heads);
        parts.push_back(list.items[i]);
        begin = ends[i];
    }
    if (list.metadata_number > list.items_number) parts.push_back(about);
    parts.push_back(Slice::literal(unknown_tail));
    return parts;
}

std::string protobuf_event_head(std::string_view type, std::size_t object_bytes) {
    BackwardBuffer head;
    // A RawExtension, of which the object is the raw bytes (1).
    head.varint(object_bytes);
    head.tag(1, bytes_wire);
    head.varint(object_bytes + head.written());
    head.tag(2, bytes_wire);
    head.text(1, type);
    const auto size = static_cast<std::uint32_t>(head.written() + object_bytes);
    const std::array<char, 4> length = {static_cast<char>(size >> 24), static_cast<char>(size >> 16),
                                        static_cast<char>(size >> 8), static_cast<char>(size)};
    head.put({length.data(), length.size()});
    return head.bytes();
}

}  // namespace kubemu::api
