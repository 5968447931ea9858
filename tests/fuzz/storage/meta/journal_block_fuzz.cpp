// The journal block decoder on arbitrary bytes; with a repaired checksum it reaches the payload.
#include "storage/digest/xxh.h"
#include "storage/meta/journal_format.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace outcrop;
  using namespace outcrop::meta;
  ByteVector bytes(size);
  std::copy_n(reinterpret_cast<const std::byte*>(data), size, bytes.begin());
  if (const auto header = peek_block(bytes);
      header && size >= kBlockHeaderBytes + header->payload_bytes) {
    const std::uint64_t sum =
        digest::xxh3_64({ConstBytes(bytes).first(kBlockHeaderBytes - 8),
                         ConstBytes(bytes).subspan(kBlockHeaderBytes, header->payload_bytes)});
    std::memcpy(bytes.data() + kBlockHeaderBytes - 8, &sum, sizeof sum);
  }
  const auto transactions = decode_block(bytes);
  if (!transactions || transactions->empty()) {
    return 0;
  }
  // What is accepted encodes to a block that decodes to the same.
  std::vector<std::string> encoded;
  for (const Transaction& t : *transactions) {
    encoded.push_back(encode_transaction(t.sequence, t.batch));
  }
  const auto again =
      decode_block(encode_block(*peek_block(bytes), {encoded.begin(), encoded.end()}).view());
  OUTCROP_ASSERT(again && again->size() == transactions->size());
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    OUTCROP_ASSERT(encode_transaction((*again)[i].sequence, (*again)[i].batch) == encoded[i]);
  }
  return 0;
}
