// The algebra of payload maps: an object's bytes as a list of pieces, some of which are holes. Pure
// functions; every result is in order, without empty pieces, and with neighbours joined that can
// be one piece. Any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "storage/ns/record_codec.h"

namespace outcrop::ns {

using Pieces = std::vector<Piece>;

inline Piece make_hole(std::uint64_t length) { return {.extent = {}, .skip = 0, .length = length}; }

/// What `pieces` hold, and the part of it that is not holes.
std::uint64_t mapped_bytes(const Pieces& pieces);
std::uint64_t data_bytes(const Pieces& pieces);

/// Adds `piece` at the end; joins it with the last one if it continues it. An empty one is ignored.
void append_piece(Pieces& pieces, const Piece& piece);

/// Builds a changed map in one pass over the old one: keep() and put() move forward together over
/// both. Linear in the pieces of either.
class Splicer {
 public:
  /// `base` is borrowed.
  explicit Splicer(const Pieces& base) : x_base(base) {}
  /// The old bytes up to position `to`; where the old map has ended: a hole.
  void keep(std::uint64_t to);
  /// `piece` in the place of the old bytes at the current position.
  void put(const Piece& piece);
  /// The current position.
  std::uint64_t at() const { return x_at; }
  /// With the rest of the old map, or without.
  Pieces finish() &&;
  Pieces cut() && { return std::move(x_out); }

 private:
  /// The next at most `n` bytes of the old map; empty behind its end.
  std::optional<Piece> take(std::uint64_t n);

  const Pieces& x_base;
  Pieces x_out;
  std::uint64_t x_at = 0;
  std::size_t x_index = 0;   ///< the old piece that holds the current position
  std::uint64_t x_used = 0;  ///< bytes of it that are behind
};

/// Bytes [offset, offset + length) as far as the map has them.
Pieces slice_pieces(const Pieces& pieces, ByteRange range);
/// `with` at `offset`, over what is there; a hole in between if the map ends before it.
Pieces replace_pieces(const Pieces& pieces, std::uint64_t offset, const Pieces& with);
/// Without the range's data; the length stays (also when the range reaches behind it).
Pieces punch_pieces(const Pieces& pieces, ByteRange range);
/// Cut, or continued with a hole.
Pieces resize_pieces(const Pieces& pieces, std::uint64_t size);

/// The first position at or behind `offset` that is data (or a hole); empty: none before the end.
std::optional<std::uint64_t> find_data(const Pieces& pieces, std::uint64_t offset, bool data);

}  // namespace outcrop::ns
