package console

import "net/url"

// filters are the flags of a list of what the box has done, once they are read.
type filters struct {
	query url.Values
	limit int
}

// filters adds --limit and a flag for each member of the query that narrows a
// list down: by its name, what it is called in the help, and the help.
func (in *Invocation) filters(flags ...[2]string) *filters {
	f := &filters{query: url.Values{}}
	in.IntVar(&f.limit, "limit", 20, "show at most this many, the newest")
	for _, one := range flags {
		in.Func(one[0], one[1], func(value string) error {
			f.query.Set(one[0], value)
			return nil
		})
	}
	return f
}
