package otp

// registered reads the user of the verification's number and tells what the
// register has against its purpose: at a start that reveals, and, for all, once
// the number is proven.
func (v *Verification) registered(tx Tx) (u User, found bool, refusal *Error, err error) {
	if u, found, err = findUser(tx, v.App, v.Address); err != nil {
		return u, found, nil, err
	}
	switch v.Purpose {
	case PurposeSignIn:
		if !found {
			return u, found, notRegistered(), nil
		}
	case PurposeSignUp:
		if found {
			return u, found, alreadyRegistered(), nil
		}
	case PurposeChangePhone:
		if found && u.ID != v.User {
			return u, found, alreadyRegistered(), nil
		}
	case PurposeSignUpOrIn:
	default:
		return u, found, nil, nil
	}
	if found && u.Disabled {
		return u, found, refuse(UserDisabled, "This user has been disabled."), nil
	}
	name := v.wish().Name
	if name == "" || found && v.Purpose != PurposeChangePhone {
		return u, found, nil, nil
	}
	holder, taken, err := findUser(tx, v.App, nameAddress(name))
	if err == nil && taken && holder.ID != v.User {
		refusal = alreadyRegistered()
	}
	return u, found, refusal, err
}

// roomFor refuses one login name too many.
func (u *User) roomFor(name string) *Error {
	if name != "" && len(u.Names) >= maxNames && !u.Named(name) {
		return refuse(InvalidRequest, "This user has five login names already, and there is no room for another.")
	}
	return nil
}

func notRegistered() *Error {
	return refuse(NotRegistered, "There is no such user. Sign up first.")
}

func alreadyRegistered() *Error {
	return refuse(AlreadyRegistered, "There is such a user already. Sign in instead.")
}
