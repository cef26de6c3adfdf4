package web

// nearest returns the candidate that name was most likely meant to be, if one
// is near enough: a third of its letters may be wrong.
func nearest(name string, candidates []string) (string, bool) {
	const longest = 64 // the distance costs the product of both lengths
	if len(name) > longest {
		return "", false
	}
	best, least := "", longest
	for _, candidate := range candidates {
		if d := distance(name, candidate); d < least {
			best, least = candidate, d
		}
	}
	return best, best != "" && least <= max(1, len(best)/3)
}

// distance is Levenshtein's, over bytes: how many must be added, taken away or
// changed.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
