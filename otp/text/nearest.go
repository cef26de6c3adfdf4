package text

// longestWord is what Nearest looks at: the distance costs the product of both
// lengths.
const longestWord = 64

// Nearest returns the candidate that takes the fewest edits from word, for a
// "did you mean". likely tells whether at most a third of its letters are
// wrong.
func Nearest(word string, candidates []string) (best string, likely bool) {
	if len(word) > longestWord {
		return "", false
	}
	least := -1
	for _, candidate := range candidates {
		if n := edits(word, candidate); least < 0 || n < least {
			best, least = candidate, n
		}
	}
	return best, best != "" && least <= max(1, len(best)/3)
}

// edits is the Levenshtein distance of a and b in bytes.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
