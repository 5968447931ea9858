// Payload maps against a flat model: for every byte, which byte of which extent it is.
#include <gtest/gtest.h>

#include "storage/base/random.h"
#include "storage/ns/piece_map.h"

namespace outcrop::ns {
namespace {

using Flat = std::vector<std::pair<SegmentId, std::uint64_t>>;  // {0, 0}: a hole's

Flat flatten(const Pieces& pieces) {
  Flat out;
  for (const Piece& piece : pieces) {
    for (std::uint64_t i = 0; i < piece.length; ++i) {
      out.push_back(piece.hole() ? std::pair<SegmentId, std::uint64_t>{}
                                 : std::pair(piece.extent.segment, piece.skip + i));
    }
  }
  return out;
}

Extent extent(SegmentId id, std::uint64_t length) {
  return {.segment = id, .offset = id * 4096, .length = length, .stamp = id};
}

Piece random_piece(SeededRandom& random, SegmentId id) {
  const std::uint64_t length = 1 + random.next() % 40;
  if (random.next() % 4 == 0) {
    return make_hole(length);
  }
  const Extent e = extent(id, length + 10);
  return {e, random.next() % 11, length};
}

void expect_canonical(const Pieces& pieces) {
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    EXPECT_GT(pieces[i].length, 0U);
    if (i > 0) {
      EXPECT_FALSE(pieces[i - 1].hole() && pieces[i].hole());
      EXPECT_FALSE(!pieces[i].hole() && pieces[i - 1].extent == pieces[i].extent &&
                   pieces[i - 1].skip + pieces[i - 1].length == pieces[i].skip);
    }
  }
}

TEST(PieceMap, NeighboursJoin) {
  Pieces pieces;
  append_piece(pieces, {extent(1, 100), 0, 10});
  append_piece(pieces, {extent(1, 100), 10, 5});
  append_piece(pieces, make_hole(3));
  append_piece(pieces, make_hole(0));
  append_piece(pieces, make_hole(4));
  append_piece(pieces, {extent(1, 100), 16, 5});  // not where the first one ended
  append_piece(pieces, {extent(2, 100), 21, 5});
  const Pieces expected{
      {extent(1, 100), 0, 15}, make_hole(7), {extent(1, 100), 16, 5}, {extent(2, 100), 21, 5}};
  EXPECT_EQ(pieces, expected);
  EXPECT_EQ(mapped_bytes(pieces), 32U);
  EXPECT_EQ(data_bytes(pieces), 25U);
}

TEST(PieceMap, ReplacedBehindTheEndLeavesAHole) {
  const Pieces with{{extent(7, 5), 0, 5}};
  const Pieces expected{make_hole(10), {extent(7, 5), 0, 5}};
  EXPECT_EQ(replace_pieces({}, 10, with), expected);
}

void check_searches(const Pieces& pieces, const Flat& flat, std::uint64_t from) {
  for (const bool data : {true, false}) {
    std::optional<std::uint64_t> expected;
    for (std::uint64_t i = from; i < flat.size() && !expected; ++i) {
      if ((flat[i].first != 0) == data) {
        expected = i;
      }
    }
    EXPECT_EQ(find_data(pieces, from, data), expected);
  }
}

TEST(PieceMap, RandomChangesAgreeWithFlatModel) {
  SeededRandom random(5);
  Pieces pieces;
  Flat model;
  for (SegmentId step = 1; step <= 4000; ++step) {
    const std::uint64_t offset = random.next() % 300, length = random.next() % 80;
    switch (random.next() % 4) {
      case 0: {
        Pieces with;
        for (int i = static_cast<int>(random.next() % 3); i >= 0; --i) {
          append_piece(with, random_piece(random, step * 4 + static_cast<unsigned>(i)));
        }
        pieces = replace_pieces(pieces, offset, with);
        const Flat bytes = flatten(with);
        model.resize(std::max<std::size_t>(model.size(), offset + bytes.size()));
        std::ranges::copy(bytes, model.begin() + static_cast<std::ptrdiff_t>(offset));
        break;
      }
      case 1:
        pieces = punch_pieces(pieces, {offset, length});
        for (std::uint64_t i = offset; i < std::min(offset + length, model.size()); ++i) {
          model[i] = {};
        }
        break;
      case 2:
        if (random.next() % 8 == 0) {
          pieces = resize_pieces(pieces, offset);
          model.resize(offset);
        }
        break;
      default: {
        const Flat part = flatten(slice_pieces(pieces, {offset, length}));
        const std::uint64_t from = std::min<std::uint64_t>(offset, model.size());
        const std::uint64_t to = std::min<std::uint64_t>(offset + length, model.size());
        EXPECT_EQ(part, Flat(model.begin() + static_cast<std::ptrdiff_t>(from),
                             model.begin() + static_cast<std::ptrdiff_t>(to)));
        check_searches(pieces, model, offset);
      }
    }
    ASSERT_EQ(flatten(pieces), model) << step;
    expect_canonical(pieces);
  }
}

}  // namespace
}  // namespace outcrop::ns
