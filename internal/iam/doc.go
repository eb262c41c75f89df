// Package iam holds the entities of AWS IAM that Atrium keeps for each
// account (users, access keys, roles, customer managed policies) and decides
// what a principal may do.
//
// A principal's policies are its own: those that are attached to the IAM user,
// or the snapshot that a role was provisioned with. An account's root may do
// everything that the account may.
package iam
