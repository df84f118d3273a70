#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "diskann/export.hpp"

namespace diskann {

/// What searches with one list size found and did, on average.
struct ListMeasurement {
  std::uint32_t search_list_size = 0;
  double hops = 0;
  double distance_computations = 0;  ///< of the walk: those of `compared` come on top
  std::vector<double> recall;        ///< recall@k for each Calibration::k; 0 where the list is shorter than k
  std::vector<double> compared;      ///< for each k, rows that candidates of codes were compared with; or empty
};

/// What searches of an index on a drive found that look at candidates as long as the next ones could be nearer if codes
/// were off by so many spreads of what they are off by: few are less sure, and take fewer reads.
struct StopMeasurement {
  std::uint32_t search_list_size = 0;
  double spreads = 0;
  std::vector<double> recall;  ///< for each Calibration::k; 0 where the list is shorter than k
  std::vector<double> nodes;   ///< for each Calibration::k, those that a walk went through or rows were compared of
};

/// How the recall of an index grows with the candidate list: measured when it is built, by searching for some stored
/// rows as if they were not stored, or on a user's queries (Index::calibrate). Searches that ask for a recall take
/// their list size from it.
struct Calibration {
  std::uint64_t queries = 0;           ///< that were searched for; 0: nothing is known
  bool stored_rows = true;             ///< they were stored rows, not a user's queries
  std::vector<std::uint32_t> k;        ///< ascending
  std::vector<std::uint32_t> rerank;   ///< for each k, how many of the nearest by codes hold the k nearest of a list
  std::vector<ListMeasurement> lists;  ///< ascending by search_list_size; recall never falls
  std::vector<StopMeasurement> stops;  ///< of indexes on a drive
};

/// The smallest list size, k at least, whose searches find the k nearest with this recall: between lists that were
/// measured, what is missing falls as a power of the list size; between two k, list sizes grow as a power of k, and
/// beyond the last in proportion. Nothing where no list that was measured reaches the recall. k > 0.
DISKANN_EXPORT std::optional<std::uint32_t> list_size_for(const Calibration& calibration, double recall, std::size_t k);

}  // namespace diskann
