// Differences between texts.
#include "storage/text_packer.h"

#include <algorithm>
#include <cstring>

#include "storage/base/limits.h"

namespace kubemu::storage {
namespace {

constexpr std::size_t word = 8;           // bytes that are looked up at once
constexpr std::size_t near_part_min = 4;  // a part where one is expected costs two bytes
constexpr std::size_t none = static_cast<std::size_t>(-1);

std::uint64_t load(const char* at) {
    std::uint64_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return value;
}

std::size_t common(const char* a, const char* b, std::size_t size_max) {
    std::size_t size = 0;
    while (size + word <= size_max && load(a + size) == load(b + size)) size += word;
    while (size < size_max && a[size] == b[size]) ++size;
    return size;
}

void put_number(std::string& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
    out += static_cast<char>(value);
}

std::uint64_t take_number(const char*& at) {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
        const auto byte = static_cast<unsigned char>(*at++);
        value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
    }
}

// Small whatever the sign.
std::uint64_t zigzag(std::int64_t value) {
    return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
std::int64_t unzigzag(std::uint64_t value) {
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

// Writes steps: the number of literals, the literals, the size of the part, and how far it begins from where the last
// one ended plus the literals.
class Steps {
  public:
    void add(std::string_view literals, std::size_t from, std::size_t size) {
        put_number(out_, literals.size());
        out_ += literals;
        put_number(out_, size);
        put_number(out_, zigzag(static_cast<std::int64_t>(from) - static_cast<std::int64_t>(next_ + literals.size())));
        next_ = from + size;
    }
    void end(std::string_view literals) {
        if (literals.empty()) return;
        put_number(out_, literals.size());
        out_ += literals;
        put_number(out_, 0);
    }
    // Where the next part is most likely to begin after so many literals.
    std::size_t expected(std::size_t literals) const { return next_ + literals; }
    std::string& text() { return out_; }

  private:
    std::string out_;
    std::size_t next_ = 0;
};

}  // namespace

std::string unpack(const PackedText& packed) {
    std::string text;
    text.reserve(packed.size);
    const char* at = packed.steps.get();
    const char* const end = at + packed.steps_size;
    std::size_t next = 0;
    while (at < end) {
        const std::size_t literals = take_number(at);
        text.append(at, literals);
        at += literals;
        const std::size_t size = take_number(at);
        if (size == 0) break;
        const std::size_t from = next + literals + static_cast<std::size_t>(unzigzag(take_number(at)));
        text.append(*packed.base, from, size);
        next = from + size;
    }
    return text;
}

PackingBase::PackingBase(Bytes text) : text_(std::move(text)) {
    for (std::size_t at = 0; at + word <= text_->size(); ++at)
        last_[slot_of(text_->data() + at)] = static_cast<std::uint16_t>(at + 1);
}

std::size_t PackingBase::slot_of(const char* at) { return load(at) * 0x9e3779b97f4a7c15ULL >> 53; }

std::size_t PackingBase::find(std::string_view text, std::size_t at) const {
    if (at + word > text.size()) return none;
    const std::size_t place = last_[slot_of(text.data() + at)];
    if (place == 0 || load(text_->data() + place - 1) != load(text.data() + at)) return none;
    return place - 1;
}

std::shared_ptr<const PackedText> PackingBase::pack(std::string_view text, std::size_t size_max) const {
    const std::string& base = *text_;
    Steps steps;
    std::size_t done = 0;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t from = steps.expected(at - done);
        std::size_t size = from < base.size() ? common(&text[at], &base[from], std::min(text.size() - at, base.size() - from)) : 0;
        if (size < word) {
            if (const std::size_t found = find(text, at); found != none) {
                from = found;
                size = common(&text[at], &base[from], std::min(text.size() - at, base.size() - from));
            }
        }
        if (size < near_part_min) {
            ++at;
            if (steps.text().size() + at - done > size_max) return nullptr;
            continue;
        }
        // What was taken for literals may belong to the part.
        std::size_t back = 0;
        while (at - back > done && from > back && text[at - back - 1] == base[from - back - 1]) ++back;
        steps.add(text.substr(done, at - back - done), from - back, size + back);
        at += size;
        done = at;
    }
    steps.end(text.substr(done));
    if (steps.text().size() > size_max) return nullptr;
    auto packed = std::make_shared<PackedText>();
    packed->base = text_;
    packed->size = static_cast<std::uint32_t>(text.size());
    packed->steps_size = static_cast<std::uint32_t>(steps.text().size());
    packed->steps = std::make_unique<char[]>(steps.text().size());
    std::memcpy(packed->steps.get(), steps.text().data(), steps.text().size());
    return packed;
}

void TextPacker::Bases::add(const std::string& key, Bytes text) {
    if (all.size() == limits::packing_bases_max) all.pop_back();
    all.insert(all.begin(), std::make_unique<Base>(Base{key, PackingBase(std::move(text))}));
    poor = 0;
}

// An object is most like an earlier version of itself; others are alike when they have come equally far, which their
// size tells.
std::vector<std::size_t> TextPacker::Bases::order_for(const std::string& key, std::size_t size) const {
    std::vector<std::pair<std::size_t, std::size_t>> far;  // how far away, index
    for (std::size_t i = 0; i < all.size(); ++i) {
        const std::size_t other = all[i]->text.text()->size();
        far.emplace_back(all[i]->key == key ? 0 : 1 + (other > size ? other - size : size - other), i);
    }
    std::sort(far.begin(), far.end());
    std::vector<std::size_t> order;
    for (const auto& [distance, i] : far) order.push_back(i);
    return order;
}

std::size_t TextPacker::pack(const Record& record) {
    const Bytes text = record.bytes.get();
    const std::size_t size = text->size();
    if (size < limits::packed_text_bytes_min || size > limits::packed_text_bytes_max || record.bytes.packed()) return size;
    auto found = bases_.find(record.resource);
    if (found == bases_.end()) found = bases_.try_emplace(record.resource).first;
    Bases& bases = found->second;
    std::shared_ptr<const PackedText> best;
    std::size_t size_max = size / 3;
    std::size_t best_at = 0;
    for (const std::size_t i : bases.order_for(record.key, size)) {
        if (bases.all[i]->text.text() == text) return size;  // others lean on it
        if (auto packed = bases.all[i]->text.pack(*text, size_max)) {
            size_max = packed->steps_size;
            best = std::move(packed);
            best_at = i;
            // As good as it gets: others are not tried.
            if (size_max <= std::max(size / 8, bases.all[i]->usual + bases.all[i]->usual / 8)) break;
        }
    }
    if (best == nullptr) {
        bases.add(record.key, text);
        return size;
    }
    std::rotate(bases.all.begin(), bases.all.begin() + static_cast<std::ptrdiff_t>(best_at),
                bases.all.begin() + static_cast<std::ptrdiff_t>(best_at) + 1);
    const std::size_t packed_size = best->steps_size;
    bases.all.front()->usual = packed_size;
    record.bytes.pack(std::move(best));
    if (packed_size > size / 8 && ++bases.poor == limits::packing_poor_max) bases.add(record.key, text);
    return packed_size;
}

}  // namespace kubemu::storage
