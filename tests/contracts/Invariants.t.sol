// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {IMemberships} from "../../contracts/interfaces/IMemberships.sol";
import {IShares} from "../../contracts/interfaces/IShares.sol";
import {
    AuthorityFace,
    BenefitsFace,
    CouncilFace,
    CreditsFace,
    MembershipsFace,
    OrganisationsFace,
    ProgrammesFace,
    SharesFace
} from "./Faces.sol";
import {Handler} from "./Handler.sol";
import {Cheats} from "./Vm.sol";

/// @title What holds after any commands in any order
/// @notice More is looked at command by command, in Books.sol and Handler.sol.
contract InvariantsTest is Cheats {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    bytes32 private constant DATA = "data.acquire";
    bytes32 private constant BUILD = "satellite.manufacture";

    Handler private handler;
    AuthorityFace private authority;
    ProgrammesFace private programmes;
    OrganisationsFace private organisations;
    MembershipsFace private memberships;
    CreditsFace private credits;
    BenefitsFace private benefits;
    SharesFace private shares;
    CouncilFace private councils;

    function setUp() public {
        handler = new Handler();
        (organisations, memberships, credits, benefits, shares) = handler.targets();
        (authority, programmes, councils) = handler.others();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev Those named more than once come more often.
    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[22] memory chosen = [
            handler.award.selector,
            handler.award.selector,
            handler.award.selector,
            handler.reverse.selector,
            handler.expire.selector,
            handler.carryOver.selector,
            handler.changeMembership.selector,
            handler.moveToken.selector,
            handler.register.selector,
            handler.setLimits.selector,
            handler.setCategory.selector,
            handler.setPause.selector,
            handler.setIssuer.selector,
            handler.changeControl.selector,
            handler.retire.selector,
            handler.list.selector,
            handler.redeem.selector,
            handler.settle.selector,
            handler.share.selector,
            handler.govern.selector,
            handler.repeat.selector,
            handler.wait.selector
        ];
        bytes4[] memory selectors = new bytes4[](29);
        for (uint256 i = 0; i < 22; ++i) {
            selectors[i] = chosen[i];
        }
        (selectors[22], selectors[23]) = (handler.changeControl.selector, handler.redeem.selector);
        (selectors[24], selectors[25]) = (handler.settle.selector, handler.share.selector);
        (selectors[26], selectors[27]) = (handler.govern.selector, handler.changeCouncillor.selector);
        selectors[28] = handler.nameSuccessor.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    /// @dev The handler's commands are mostly such as the ledger does: else nothing here would say much.
    function test_handler__many_commands__are_done() public {
        for (uint256 i = 0; i < 300; ++i) {
            uint256 random = uint256(keccak256(abi.encode(i)));
            handler.award(random, i, i % 2 == 0, i % 3 == 0);
            handler.reverse(random, i % 2, i % 4 != 0);
            if (i % 3 == 0) {
                handler.changeMembership(random, uint8(random >> 8), uint32(random >> 16), i % 2 == 0);
            }
            if (i % 4 == 0) handler.expire(random, uint64(random));
            _deal(random, i);
            if (i % 8 == 0) {
                handler.setLimits(random, uint64(random), uint64(random >> 64), uint64(random >> 128));
                handler.setCategory(uint8(random), i % 16 == 0);
                handler.setPause(uint8(i / 8));
                handler.setIssuer(i % 16 == 0);
                handler.register(random);
                handler.changeCouncillor(random);
                handler.repeat(random);
                handler.wait(random);
            }
        }
        _assertDone();
        invariant_books_agree();
    }

    /// @dev One for all, since each would go through the commands anew.
    function invariant_books_agree() public view {
        _assertHeads();
        _assertBalances();
        _assertFates();
        _assertBudgets();
        _assertTokens();
        _assertBenefits();
        _assertShares();
    }

    function _deal(uint256 random, uint256 i) private {
        handler.changeControl(random >> 8, uint8(random));
        handler.list(random, i % 2 == 0, i % 3 == 0);
        handler.redeem(random, uint32(random >> 24), i % 2 == 0);
        handler.settle(random, i % 2 == 0);
        handler.share(random, uint8(random >> 16), uint64(random >> 64));
        handler.govern(random, uint8(random >> 32));
        handler.govern(random >> 40, uint8(random >> 48));
        if (i % 8 == 0) handler.retire(random);
        if (i % 4 == 2) handler.nameSuccessor(random >> 3);
        if (i % 4 == 0) handler.carryOver(random, i % 8 == 0);
    }

    function _assertDone() private view {
        bytes4[21] memory selectors = [
            credits.award.selector,
            credits.reverse.selector,
            credits.expire.selector,
            credits.carryOver.selector,
            memberships.admit.selector,
            memberships.revoke.selector,
            programmes.setBudget.selector,
            programmes.setCategoryBudget.selector,
            organisations.nominate.selector,
            organisations.acceptControl.selector,
            organisations.beginRecovery.selector,
            organisations.finishRecovery.selector,
            organisations.retire.selector,
            organisations.nameSuccessor.selector,
            benefits.redeem.selector,
            benefits.redeemBySignature.selector,
            benefits.fulfil.selector,
            benefits.cancel.selector,
            shares.claim.selector,
            councils.approve.selector,
            councils.execute.selector
        ];
        for (uint256 i = 0; i < selectors.length; ++i) {
            vm.assertGe(int256(handler.done(selectors[i])), 1, vm.toString(i));
        }
        vm.assertGe(int256(handler.done(credits.award.selector)), 50, "awards");
        vm.assertGe(int256(handler.done(authority.pause.selector)), 2, "pauses");
        vm.assertGe(int256(handler.refusedStrangers()), 50, "strangers");
        vm.assertGe(int256(handler.refusedReplays()), 20, "commands given twice");
        vm.assertGe(int256(handler.rivals()), 50, "commands by ids of others");
    }

    /// @dev Each contract's head and sequence are those that follow from its logs.
    function _assertHeads() private view {
        address[8] memory all = handler.all();
        for (uint256 i = 0; i < all.length; ++i) {
            vm.assertEq(IJournal(all[i]).head(), handler.heads(all[i]), "head");
            vm.assertEq(IJournal(all[i]).sequence(), handler.sequences(all[i]), "sequence");
        }
        vm.assertEq(credits.sequence(), handler.entries(), "entries");
    }

    /// @dev The sum of balances is what is outstanding, and the sum of awards less reversals, redemptions
    /// and expiries, and refunds. What is carried over adds up to nothing.
    function _assertBalances() private view {
        for (uint16 programmeId = 1; programmeId <= 2; ++programmeId) {
            int256 sum = 0;
            for (uint32 orgId = 0; orgId <= 13; ++orgId) {
                int64 balance = credits.balanceOf(programmeId, orgId);
                vm.assertEq(balance, handler.balances(programmeId, orgId), "balance");
                sum += balance;
            }
            vm.assertEq(sum, credits.outstanding(programmeId), "sum of balances");
            int256 entries = 0;
            for (uint8 kind = 1; kind <= uint8(type(ICredits.Kind).max); ++kind) {
                entries += handler.sums(programmeId, ICredits.Kind(kind));
            }
            vm.assertEq(sum, entries, "sum of entries");
            vm.assertEq(handler.sums(programmeId, ICredits.Kind.CarryOver), int256(0), "carried over");
        }
    }

    /// @dev Reversed and expired once at most, by what the ledger names.
    function _assertFates() private view {
        uint64 last = handler.entries();
        for (uint64 entryId = 1; entryId <= last; ++entryId) {
            uint16 programmeId = handler.programmeOf(entryId);
            if (programmeId == 0) continue; // a line that is no entry
            vm.assertEq(credits.reversedBy(programmeId, entryId), handler.reversedBy(entryId), "reversed by");
            (uint64 expiredBy,) = credits.expiryOf(programmeId, entryId);
            vm.assertEq(expiredBy, handler.expiredBy(entryId), "expired by");
        }
    }

    /// @dev What an issuer is recorded to have spent and reversed is what its awards and its reversals add
    /// up to, in each epoch.
    function _assertBudgets() private view {
        address issuer = handler.officer();
        for (uint16 programmeId = 1; programmeId <= 2; ++programmeId) {
            for (uint32 epoch = 0; epoch <= 4; ++epoch) {
                vm.assertEq(credits.spent(programmeId, epoch, issuer), handler.spent(programmeId, epoch), "spent");
                vm.assertEq(
                    credits.reversed(programmeId, epoch, issuer), handler.reversed(programmeId, epoch), "reversed"
                );
                bytes32[2] memory categories = [DATA, BUILD];
                for (uint256 i = 0; i < 2; ++i) {
                    vm.assertEq(
                        credits.spentIn(programmeId, epoch, issuer, categories[i]),
                        handler.spentIn(programmeId, epoch, categories[i]),
                        "spent in a category"
                    );
                }
            }
        }
    }

    /// @dev A token is its organisation's controller's while there is a membership, and else nobody's; and
    /// that is what its Transfers say.
    function _assertTokens() private view {
        uint32 last = organisations.organisationCount();
        for (uint16 programmeId = 1; programmeId <= 2; ++programmeId) {
            for (uint32 orgId = 1; orgId <= last; ++orgId) {
                vm.assertEq(organisations.successorOf(orgId), handler.successors(orgId), "successor");
                IMemberships.Status status = memberships.membership(programmeId, orgId).status;
                bool member = status == IMemberships.Status.Active || status == IMemberships.Status.Suspended;
                uint256 tokenId = uint256(programmeId) << 32 | orgId;
                address controller = handler.controllers(orgId);
                vm.assertEq(handler.owners(tokenId), member ? controller : address(0), "owner by the logs");
                try memberships.ownerOf(tokenId) returns (address owner) {
                    vm.assertTrue(member, "a token of no member");
                    vm.assertEq(owner, controller, "owner");
                } catch {
                    vm.assertFalse(member, "a member without a token");
                }
            }
        }
    }

    /// @dev What is redeemed and open is what can still be refunded, and within capacity.
    function _assertBenefits() private view {
        for (uint16 programmeId = 1; programmeId <= 2; ++programmeId) {
            vm.assertEq(credits.refundable(programmeId), int256(handler.open(programmeId)), "refundable");
        }
        for (uint32 listingId = 1; listingId <= benefits.listingCount(); ++listingId) {
            uint32 redeemed = benefits.listing(listingId).redeemed;
            vm.assertEq(redeemed, handler.redeemed(listingId), "redeemed");
            vm.assertLe(redeemed, benefits.listing(listingId).listing.capacity, "capacity");
        }
    }

    /// @dev No more is claimed than there is in the pool.
    function _assertShares() private view {
        for (uint32 distributionId = 1; distributionId <= shares.distributionCount(); ++distributionId) {
            IShares.DistributionState memory state = shares.distribution(distributionId);
            vm.assertEq(state.claimed, handler.claimed(distributionId), "claimed");
            vm.assertLe(state.claimed, state.distribution.pool, "pool");
        }
    }
}
