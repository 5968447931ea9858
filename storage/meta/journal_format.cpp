#include "storage/meta/journal_format.h"

#include "storage/base/codec.h"
#include "storage/digest/xxh.h"

namespace outcrop::meta {
namespace {

constexpr std::uint64_t kMagic = 0x314c4e524a43544fULL;  // "OTCJRNL1"
constexpr std::size_t kChecksumAt = kBlockHeaderBytes - sizeof(std::uint64_t);

enum class Op : std::uint8_t { erase = 0, put = 1 };

std::uint64_t checksum_of(ConstBytes header, ConstBytes payload) {
  return digest::xxh3_64({header.first(kChecksumAt), payload});
}

std::string encode_header(const BlockHeader& h) {
  Writer w;
  w.u64(kMagic);
  w.u16(kJournalVersion);
  w.u16(0);
  w.u32(h.worker);
  w.bytes(std::as_bytes(std::span(h.cluster.bytes)));
  w.u32(h.payload_bytes);
  w.u32(0);
  w.u64(h.generation);
  w.u64(h.offset);
  w.u64(h.epoch);
  w.u64(h.previous);
  w.u64(h.last);
  OUTCROP_ASSERT(w.size() == kChecksumAt);
  return std::move(w).take();
}

void read_mutation(Reader& r, Batch& batch) {
  const std::uint8_t op = r.u8();
  const std::string_view key = r.str(kMaxKeyBytes);
  if (op == static_cast<std::uint8_t>(Op::put)) {
    const std::string_view value = r.str(kMaxValueBytes);
    batch.put(std::string(key), std::string(value));
  } else if (op == static_cast<std::uint8_t>(Op::erase)) {
    batch.erase(std::string(key));
  } else {
    r.fail();
  }
}

Transaction read_transaction(Reader& r) {
  Transaction t;
  t.sequence = r.u64();
  for (auto n = r.count(kMaxMutations); n > 0 && r.ok(); --n) {
    read_mutation(r, t.batch);
  }
  for (auto n = r.count(kMaxFresh); n > 0 && r.ok(); --n) {
    Extent e;
    e.segment = r.varint();
    e.offset = r.varint();
    e.length = r.varint();
    e.stamp = r.u64();
    t.batch.fresh.push_back(e);
  }
  return t;
}

}  // namespace

std::string encode_transaction(Sequence sequence, const Batch& batch) {
  std::size_t room = 32 + batch.fresh.size() * 32;
  for (const Mutation& m : batch.mutations) {
    room += 8 + m.key.size() + (m.value ? m.value->size() : 0);
  }
  Writer w(room);
  w.u64(sequence);
  w.varint(batch.mutations.size());
  for (const Mutation& m : batch.mutations) {
    w.u8(static_cast<std::uint8_t>(m.value ? Op::put : Op::erase));
    w.str(m.key);
    if (m.value) {
      w.str(*m.value);
    }
  }
  w.varint(batch.fresh.size());
  for (const Extent& e : batch.fresh) {
    w.varint(e.segment);
    w.varint(e.offset);
    w.varint(e.length);
    w.u64(e.stamp);
  }
  return std::move(w).take();
}

void set_sequence(std::string& encoded, Sequence sequence) {
  std::memcpy(encoded.data(), &sequence, sizeof sequence);
}

Buffer encode_block(BlockHeader header, const std::vector<std::string_view>& transactions) {
  Writer count;
  count.varint(transactions.size());
  std::size_t payload = count.size();
  for (const std::string_view t : transactions) {
    payload += t.size();
  }
  OUTCROP_ASSERT(payload <= kMaxBlockPayload && transactions.size() <= kMaxTransactions);
  header.payload_bytes = static_cast<std::uint32_t>(payload);

  const Buffer block = Buffer::make(static_cast<std::size_t>(header.block_bytes()));
  const std::string head = encode_header(header);
  std::memcpy(block.data(), head.data(), head.size());
  std::byte* at = block.data() + kBlockHeaderBytes;
  auto append = [&at](std::string_view s) {
    std::memcpy(at, s.data(), s.size());
    at += s.size();
  };
  append(count.view());
  for (const std::string_view t : transactions) {
    append(t);
  }
  std::memset(at, 0, static_cast<std::size_t>(block.data() + block.size() - at));
  const std::uint64_t sum =
      checksum_of(as_bytes(head), block.view().subspan(kBlockHeaderBytes, payload));
  std::memcpy(block.data() + kChecksumAt, &sum, sizeof sum);
  return block;
}

Result<BlockHeader> peek_block(ConstBytes in) {
  Reader r(in);
  const std::uint64_t magic = r.u64();
  const std::uint16_t version = r.u16();
  const std::uint16_t flags = r.u16();
  BlockHeader h;
  h.worker = r.u32();
  if (const ConstBytes id = r.take(h.cluster.bytes.size()); !id.empty()) {
    std::memcpy(h.cluster.bytes.data(), id.data(), id.size());
  }
  h.payload_bytes = r.u32();
  const std::uint32_t reserved = r.u32();
  h.generation = r.u64();
  h.offset = r.u64();
  h.epoch = r.u64();
  h.previous = r.u64();
  h.last = r.u64();
  r.u64();  // the checksum
  if (!r.ok() || magic != kMagic) {
    return fail(Errc::corrupt);
  }
  if (version != kJournalVersion || flags != 0 || reserved != 0 ||
      h.payload_bytes > kMaxBlockPayload || h.offset % kIoAlign != 0 || h.previous >= h.last) {
    return fail(Errc::corrupt);
  }
  return h;
}

bool block_verifies(ConstBytes in) {
  const auto h = peek_block(in);
  if (!h || in.size() < kBlockHeaderBytes + h->payload_bytes) {
    return false;
  }
  std::uint64_t stored = 0;
  std::memcpy(&stored, in.data() + kChecksumAt, sizeof stored);
  return stored ==
         checksum_of(in.first(kBlockHeaderBytes), in.subspan(kBlockHeaderBytes, h->payload_bytes));
}

Result<std::vector<Transaction>> decode_block(ConstBytes in) {
  if (!block_verifies(in)) {
    return fail(Errc::corrupt, "journal block does not verify");
  }
  TRY(const BlockHeader h, peek_block(in));
  Reader r(in.subspan(kBlockHeaderBytes, h.payload_bytes));
  std::vector<Transaction> out;
  Sequence before = h.previous;
  for (auto n = r.count(kMaxTransactions); n > 0 && r.ok(); --n) {
    Transaction t = read_transaction(r);
    if (t.sequence <= before || t.sequence > h.last) {
      r.fail();
    }
    before = t.sequence;
    out.push_back(std::move(t));
  }
  if (!r.done() || before != h.last) {
    return fail(Errc::corrupt, "journal block is malformed");
  }
  return out;
}

}  // namespace outcrop::meta
